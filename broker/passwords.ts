import { parseHash, type PasswordHash } from './password-hash.ts'

// A password file in mosquitto_passwd's format: one `user:hash` a line (password-hash.ts), empty
// lines and lines that begin with # between them.

export interface Entry {
  readonly hash: PasswordHash
  /** As it stands in the file: two entries are the same password exactly where their texts are the same. */
  readonly text: string
}

export type Passwords = ReadonlyMap<string, Entry>

/** What a line of a file is not, for the person who wrote it. */
export interface LineProblem {
  /** From 1. */
  readonly line: number
  readonly message: string
}

// A name stands in topics, in client ids and in the log.
const USERNAME = /^[A-Za-z0-9._~@-]{1,64}$/
export const USERNAME_FORM = 'of 1 to 64 characters out of A-Z a-z 0-9 . _ ~ @ -'

export function parseUsername (text: string): string | undefined {
  return USERNAME.test(text) ? text : undefined
}

export function parsePasswords (text: string): { passwords: Passwords, problems: readonly LineProblem[] } {
  const passwords = new Map<string, Entry>()
  const problems: LineProblem[] = []
  for (const [at, raw] of text.split('\n').entries()) {
    const line = raw.trimEnd()
    if (line === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(0, colon))
    const coded = line.slice(colon + 1)
    const hash = parseHash(coded)
    const problem = problemOf(name, colon, hash, passwords)
    if (problem !== undefined) problems.push({ line: at + 1, message: problem })
    else if (hash !== undefined) passwords.set(name, { hash, text: coded })
  }
  return { passwords, problems }
}

// Names are quoted, hashes are not: they do not belong in a log.
function problemOf (
  name: string, colon: number, hash: PasswordHash | undefined, before: Passwords
): string | undefined {
  if (colon < 0) return 'is not user:hash; make the line with sluice passwd'
  if (parseUsername(name) === undefined) return `has ${JSON.stringify(name)} for a user; write a name ${USERNAME_FORM}`
  if (before.has(name)) return `names ${name} a second time; remove one of the two lines`
  return hash === undefined
    ? `has no password of ${name} in a format known here ($7$ or $6$); make the line with sluice passwd`
    : undefined
}

/** The text of the file with this user's line replaced, added at the end or, without a hash, removed. */
export function withPassword (text: string, username: string, coded: string | undefined): string {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n')
  const at = lines.findIndex((line) => line.startsWith(`${username}:`))
  const added = coded === undefined ? [] : [`${username}:${coded}`]
  lines.splice(at < 0 ? lines.length : at, at < 0 ? 0 : 1, ...added)
  return lines.map((line) => `${line}\n`).join('')
}
