import { randomBytes } from 'node:crypto'
import type { Known } from './gate.ts'

/** A working day; a token that is shown instead ends earlier where it expires earlier. */
const LOGIN_MS = 12 * 3_600_000

export interface Login {
  readonly known: Known
  /** Ms since epoch. */
  readonly expiresAt: number
}

export interface LoginLimits {
  readonly loginsMax: number
  readonly loginsPerUserMax: number
}

/**
 * Who logged in, by the token that was given out for it; in memory alone, so that a restart ends them all. A user
 * who logs in again and again ends logins of his own, and of nobody else. Those who have http.token cannot be told from
 * each other: they end none.
 */
export class Logins {
  readonly #limits: LoginLimits
  readonly #onFull: (limit: 'logins' | 'logins_per_user', known: Known) => void
  readonly #logins = new Map<string, Login>()
  /** The tokens of each user, the oldest first. */
  readonly #byUser = new Map<string, Set<string>>()

  constructor (limits: LoginLimits, onFull: (limit: 'logins' | 'logins_per_user', known: Known) => void = () => {}) {
    this.#limits = limits
    this.#onFull = onFull
  }

  /** Undefined: there are as many as there may be, and none of them is known to be this user's. */
  add (known: Known, now = Date.now()): Login & { readonly token: string } | undefined {
    const user = nameOf(known)
    const own = (user === undefined ? undefined : this.#byUser.get(user)) ?? new Set<string>()
    if (this.#logins.size >= this.#limits.loginsMax) this.#forgetExpired(now)
    const limit = this.#whyFull(own)
    const [oldest] = own
    if (limit !== undefined) this.#onFull(limit, known)
    if (limit !== undefined && oldest === undefined) return undefined
    if (limit !== undefined && oldest !== undefined) this.remove(oldest)
    const token = randomBytes(32).toString('base64url')
    const ends = known.kind === 'user' ? known.identity.expiresAt ?? Infinity : Infinity
    const login = { known, expiresAt: Math.min(now + LOGIN_MS, ends) }
    this.#logins.set(token, login)
    if (user !== undefined) this.#byUser.set(user, own.add(token))
    return { ...login, token }
  }

  find (token: string, now = Date.now()): Known | undefined {
    const login = this.#logins.get(token)
    if (login === undefined) return undefined
    if (login.expiresAt > now) return login.known
    this.remove(token)
    return undefined
  }

  remove (token: string): void {
    const login = this.#logins.get(token)
    if (login === undefined) return
    this.#logins.delete(token)
    const user = nameOf(login.known)
    if (user === undefined) return
    const own = this.#byUser.get(user)
    own?.delete(token)
    if (own?.size === 0) this.#byUser.delete(user)
  }

  #whyFull (own: ReadonlySet<string>): 'logins' | 'logins_per_user' | undefined {
    if (own.size >= this.#limits.loginsPerUserMax) return 'logins_per_user'
    return this.#logins.size >= this.#limits.loginsMax ? 'logins' : undefined
  }

  #forgetExpired (now: number): void {
    for (const [token, { expiresAt }] of this.#logins) if (expiresAt <= now) this.remove(token)
  }
}

/** Undefined: whoever has http.token. */
function nameOf (known: Known): string | undefined {
  return known.kind === 'user' ? known.identity.username : undefined
}
