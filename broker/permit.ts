import { rulesFor, type Rule, type Rules } from './rules.ts'
import { parseDeviceId } from './topics.ts'

/** What one client may do of all that the broker does (admission.ts). Asked on every publish. */
export interface Permit {
  mayPublish (topic: string): boolean
  /** True where every topic that the filter matches may be read. */
  mayRead (filter: string): boolean
}

/** What a device reads of its own, with what is below it. */
const READ = ['acks', 'config', 'responses']

export const everything: Permit = { mayPublish: () => true, mayRead: () => true }

/** A device's own topics, and what the rules grant beside them. */
export function permitOf (username: string, rules: Rules | undefined, topicPrefix: string): Permit {
  const deviceId = parseDeviceId(username)
  const granted = rules === undefined ? [] : rulesFor(username, rules)
  if (deviceId === undefined) return grant(granted)
  const own = `${topicPrefix}/${deviceId}/`
  const reads = READ.map((word): Rule => ({ right: 'read', filter: `${own}${word}/#` }))
  return grant([...reads, ...granted], own)
}

/** Without a file of rules a client without a name may do everything: that it may connect was the operator's word. */
export function namelessPermit (rules: Rules | undefined): Permit {
  return rules === undefined ? everything : grant(rules.nameless)
}

function grant (rules: readonly Rule[], own?: string): Permit {
  const writes = rules.filter(({ right }) => right !== 'read').map(({ filter }) => compile(filter))
  const reads = rules.filter(({ right }) => right !== 'write').map(({ filter }) => compile(filter))
  return {
    mayPublish: (topic) => (own !== undefined && topic.startsWith(own)) || writes.some((filter) => filter.test(topic)),
    mayRead: (filter) => reads.some((granted) => granted.test(filter))
  }
}

/**
 * Matches the topics that the filter matches, and the filters that match nothing else: `a/+` is
 * within `a/#`, `a/#` is not within `a/+`. A wildcard that comes first leaves out topics that begin
 * with $ [MQTT-4.7.2-1].
 */
export function compile (filter: string): RegExp {
  const levels = filter.split('/')
  const isOpen = levels.at(-1) === '#'
  const fixed = (isOpen ? levels.slice(0, -1) : levels).map((level) => level === '+' ? '[^/#]*' : escape(level))
  const first = /^[+#]/.test(filter) ? '(?!\\$)' : ''
  if (!isOpen) return new RegExp(`^${first}${fixed.join('/')}$`)
  return fixed.length === 0 ? /^(?!\$)/ : new RegExp(`^${first}${fixed.join('/')}(?:/[^]*)?$`)
}

function escape (level: string): string {
  return level.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
