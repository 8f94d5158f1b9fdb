import { parseUsername, USERNAME_FORM, type LineProblem } from './passwords.ts'
import { parseDeviceId } from './topics.ts'

// Who may publish and subscribe beyond a device's own topics: a part of mosquitto's acl_file.
//
//   topic [read|write|readwrite] <filter>     before the first user: for clients without a name
//   user <name>
//   topic [read|write|readwrite] <filter>     for this user
//   pattern [read|write|readwrite] <filter>   for every user; {username}, {deviceId} and %u are filled in
//
// What is granted nowhere is denied. Of mosquitto's other words `deny` and %c are refused by name:
// read as something else, they would let in whom they were written to keep out.

type Right = 'read' | 'write' | 'readwrite'

export interface Rule {
  readonly right: Right
  readonly filter: string
}

export interface Rules {
  readonly nameless: readonly Rule[]
  readonly byUser: ReadonlyMap<string, readonly Rule[]>
  readonly patterns: readonly Rule[]
}

export function parseRules (text: string): { rules: Rules, problems: readonly LineProblem[] } {
  const nameless: Rule[] = []
  const byUser = new Map<string, Rule[]>()
  const patterns: Rule[] = []
  const problems: LineProblem[] = []
  let topics = nameless
  for (const [at, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const [word = '', rest = ''] = cut(line)
    if (word === 'user' && parseUsername(rest) !== undefined) {
      topics = byUser.get(rest) ?? []
      byUser.set(rest, topics)
      continue
    }
    const rule = parseRule(rest)
    const message = problemOf(word, rest, rule)
    if (message !== undefined) problems.push({ line: at + 1, message })
    else if (rule !== undefined) (word === 'pattern' ? patterns : topics).push(rule)
  }
  return { rules: { nameless, byUser, patterns }, problems }
}

// A filter may have blanks in it; the words before it may not.
function cut (text: string): [string, string] {
  const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(text) ?? []
  return [word, rest]
}

function parseRule (text: string): Rule | undefined {
  const [word, rest] = cut(text)
  const isRight = word === 'read' || word === 'write' || word === 'readwrite'
  const filter = isRight ? rest : text
  const right = isRight ? word : 'readwrite'
  return isFilter(filter) ? { right, filter } : undefined
}

/** [MQTT-4.7.1-2], [MQTT-4.7.1-3]: a wildcard has its level for itself, and # stands last. */
function isFilter (filter: string): boolean {
  const levels = filter.split('/')
  return filter !== '' && !filter.includes('\0') && levels.every((level, at) =>
    !/[+#]/.test(level) || level === '+' || (level === '#' && at === levels.length - 1))
}

function problemOf (word: string, rest: string, rule: Rule | undefined): string | undefined {
  const named = JSON.stringify(rest)
  if (word === 'user') return `has ${named} for a user; write a name ${USERNAME_FORM}`
  if (word !== 'topic' && word !== 'pattern') return `begins with ${JSON.stringify(word)}; write user, topic or pattern`
  if (/^deny\s/.test(rest)) return 'has deny, which is not known here; grant less instead, what is granted nowhere is denied'
  if (rule === undefined) return `has ${named} for a topic; write one like site/+/door or site/#`
  if (word === 'topic') return undefined
  if (rule.filter.includes('%c')) return 'has %c, and a client chooses its client id; write {username}'
  const unknown = /\{(?!username\}|deviceId\})[^}]*\}/.exec(rule.filter)
  return unknown === null ? undefined : `holds ${unknown[0]}; known are {deviceId} {username}`
}

/** What of the rules is about one user. A name that is no deviceId has no part in patterns with {deviceId}. */
export function rulesFor (username: string, { byUser, patterns }: Rules): readonly Rule[] {
  const isDevice = parseDeviceId(username) !== undefined
  const filled = patterns
    .filter(({ filter }) => isDevice || !filter.includes('{deviceId}'))
    .map(({ right, filter }) => ({ right, filter: filter.replaceAll(/\{username\}|\{deviceId\}|%u/g, () => username) }))
  return [...byUser.get(username) ?? [], ...filled]
}
