import { randomBytes } from 'node:crypto'
import type { Known } from './gate.ts'

/** A working day; a token that is shown instead ends earlier where it expires earlier. */
const LOGIN_MS = 12 * 3_600_000
const LOGINS_MAX = 10_000

export interface Login {
  readonly known: Known
  /** Ms since epoch. */
  readonly expiresAt: number
}

/** Who logged in, by the token that was given out for it; in memory alone, so that a restart ends them all. */
export class Logins {
  readonly #logins = new Map<string, Login>()

  /** The oldest is forgotten where there are too many. */
  add (known: Known, now = Date.now()): Login & { readonly token: string } {
    const token = randomBytes(32).toString('base64url')
    const ends = known.kind === 'user' ? known.identity.expiresAt ?? Infinity : Infinity
    const login = { known, expiresAt: Math.min(now + LOGIN_MS, ends) }
    const [oldest] = this.#logins.keys()
    if (this.#logins.size >= LOGINS_MAX && oldest !== undefined) this.#logins.delete(oldest)
    this.#logins.set(token, login)
    return { ...login, token }
  }

  find (token: string, now = Date.now()): Known | undefined {
    const login = this.#logins.get(token)
    if (login === undefined) return undefined
    if (login.expiresAt > now) return login.known
    this.#logins.delete(token)
    return undefined
  }

  remove (token: string): void {
    this.#logins.delete(token)
  }
}
