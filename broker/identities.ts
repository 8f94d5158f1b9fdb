import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { Guesses, type GuessLimits } from './guesses.ts'
import { isPassword, type PasswordHash } from './password-hash.ts'
import { parseUsername, type Passwords } from './passwords.ts'
import { namelessPermit, permitOf, type Permit } from './permit.ts'
import type { Rules } from './rules.ts'

/** Who there is and what each may do, as the operator's files have it. Undefined: there is no such file. */
export interface Access {
  readonly passwords?: Passwords | undefined
  readonly rules?: Rules | undefined
}

export interface Credentials {
  readonly username: string
  readonly password: Buffer | undefined
  readonly address: string
}

export type Verdict =
  | { readonly kind: 'known', readonly permit: Permit }
  | { readonly kind: 'wrong', readonly detail: string }
  | { readonly kind: 'crowded', readonly detail: string }

export interface IdentityRules extends GuessLimits {
  readonly topicPrefix: string
  /** Some clients are known by a certificate. */
  readonly hasCertificates?: boolean
}

/**
 * Tells who a client is. A password that was right once is known again without its slow hash, so
 * that a fleet reconnects at once and a guesser beside a device does not delay it.
 */
export class Identities {
  readonly #rules: IdentityRules
  readonly #guesses: Guesses
  #access: Access
  /** By name: a keyed hash of the password that was right, in memory alone. */
  readonly #proven = new Map<string, Buffer>()
  readonly #key = randomBytes(32)
  #decoys: readonly PasswordHash[] = []

  constructor (access: Access, rules: IdentityRules) {
    this.#access = access
    this.#decoys = hashesOf(access)
    this.#rules = rules
    this.#guesses = new Guesses(rules)
  }

  /** False: user names mean nothing here. */
  get havePasswords (): boolean { return this.#access.passwords !== undefined }

  /** False: every client is nameless. */
  get areThere (): boolean { return this.havePasswords || this.#rules.hasCertificates === true }

  get nameless (): Permit { return namelessPermit(this.#access.rules) }

  permitOf (username: string): Permit {
    return permitOf(username, this.#access.rules, this.#rules.topicPrefix)
  }

  async verify ({ username, password, address }: Credentials): Promise<Verdict> {
    if (parseUsername(username) === undefined || password === undefined) return wrong(username, address)
    const guess = { username, address }
    const judged = this.#isProven(username, password)
      ? 'right'
      : await this.#guesses.judge(guess, () => this.#isRight(username, password))
    switch (judged) {
      case 'right': return { kind: 'known', permit: this.permitOf(username) }
      case 'wrong': return wrong(username, address)
      case 'crowded':
        return { kind: 'crowded', detail: `too many connections of ${username} from ${address} wait to be verified` }
    }
  }

  /** Returns the names whose password is another one now, or that are gone. */
  configure (access: Access): ReadonlySet<string> {
    const before = this.#access.passwords ?? new Map<string, never>()
    this.#access = access
    this.#decoys = hashesOf(access)
    const changed = [...before].filter(([name, { text }]) => access.passwords?.get(name)?.text !== text)
    const names = new Set(changed.map(([name]) => name))
    for (const name of names) this.#proven.delete(name)
    return names
  }

  async #isRight (username: string, password: Buffer): Promise<boolean> {
    if (this.#isProven(username, password)) return true // meanwhile
    const entry = this.#access.passwords?.get(username)
    const hash = entry?.hash ?? this.#decoyOf(username)
    const isRight = hash !== undefined && await isPassword(password, hash)
    // The file may have been read again while this ran.
    if (!isRight || entry === undefined || this.#access.passwords?.get(username)?.text !== entry.text) return false
    this.#proven.set(username, this.#seal(username, password))
    return true
  }

  /**
   * What an unknown name is verified against: the hash of some user, always of the same one, so that the
   * time taken does not tell which names there are, whatever iterations the file has.
   */
  #decoyOf (username: string): PasswordHash | undefined {
    const at = this.#seal(username, Buffer.alloc(0)).readUInt32BE() % this.#decoys.length
    return this.#decoys[at]
  }

  #isProven (username: string, password: Buffer): boolean {
    const proven = this.#proven.get(username)
    return proven !== undefined && timingSafeEqual(proven, this.#seal(username, password))
  }

  #seal (username: string, password: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(`${username}:`).update(password).digest()
  }
}

function hashesOf ({ passwords }: Access): PasswordHash[] {
  return [...passwords?.values() ?? []].map(({ hash }) => hash)
}

function wrong (username: string, address: string): Verdict {
  const name = JSON.stringify(username.length > 64 ? `${username.slice(0, 64)}...` : username)
  return { kind: 'wrong', detail: `a wrong name or password for ${name} from ${address}` }
}
