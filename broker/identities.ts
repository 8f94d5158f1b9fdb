import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { addressGroup } from './address-group.ts'
import { Guesses, type GuessLimits, type Judged } from './guesses.ts'
import { Missed } from './missed.ts'
import { isPassword, type PasswordHash } from './password-hash.ts'
import { parseUsername, type Passwords } from './passwords.ts'
import { namelessPermit, permitOf, type Permit } from './permit.ts'
import { Proven, type Sealed } from './proven.ts'
import { nobodyElse, roleOf, type Role, type Roles } from './roles.ts'
import type { Rules } from './rules.ts'
import { isStillGood, isToken, verifyToken, type TokenProof, type TokenRules } from './tokens.ts'
import { Turns } from './turns.ts'

/** Who there is and what each may do, as the operator's files have it. Undefined: there is no such file. */
export interface Access {
  readonly passwords?: Passwords | undefined
  readonly tokens?: TokenRules | undefined
  readonly rules?: Rules | undefined
  readonly roles?: Roles | undefined
}

export interface Credentials {
  /** Undefined: whom the token names. */
  readonly username: string | undefined
  readonly password: Buffer | undefined
  readonly address: string
  /** Nobody waits for the answer any more. */
  readonly isGone?: () => boolean
}

/** Who somebody was found to be, and by what. */
export interface Identity {
  readonly username: string
  /** As its token claims; roleOf has the last word. */
  readonly claimed: Role | undefined
  /** Ms since epoch. */
  readonly expiresAt: number | undefined
  readonly proof: TokenProof | { readonly kind: 'password', readonly text: string } | { readonly kind: 'certificate', readonly serial: string }
}

export type Verdict =
  | { readonly kind: 'known', readonly identity: Identity }
  | { readonly kind: 'wrong', readonly detail: string }
  | { readonly kind: 'crowded', readonly detail: string }

export interface IdentityRules extends GuessLimits {
  readonly topicPrefix: string
  /** Some clients are known by a certificate. */
  readonly hasCertificates?: boolean
  /** Clients without a name may do everything beside those with one: the operator said so in words. */
  readonly isOpen?: boolean
}

/** No user has a name with a colon in it. */
const SECRET = ':secret'

/**
 * Tells who somebody is. A password that was right once is known again from the same address without
 * its slow hash, so that a fleet reconnects at once and a guesser beside a device does not delay it.
 */
export class Identities {
  readonly #rules: IdentityRules
  readonly #guesses: Guesses
  readonly #turns: Turns
  #access: Access
  readonly #proven = new Proven()
  readonly #missed: Missed
  readonly #key = randomBytes(32)
  #decoys: readonly PasswordHash[] = []
  /** Certificates, as readSerial has them. */
  #revoked: ReadonlySet<string> = new Set()

  /** `onSlow` is told of an address whose guesses wait from now on. */
  constructor (access: Access, rules: IdentityRules, onSlow: (address: string) => void = () => {}) {
    this.#access = access
    this.#decoys = hashesOf(access)
    this.#rules = rules
    this.#turns = new Turns(rules.verifyingMax)
    this.#missed = new Missed(rules.guessersMax)
    this.#guesses = new Guesses(rules, { isFresh: (name) => this.#isFresh(name), onSlow }, this.#turns)
  }

  /** False: user names mean nothing here. */
  get haveUsers (): boolean { return this.#access.passwords !== undefined || this.#access.tokens !== undefined }

  /** False: every client is nameless. */
  get areThere (): boolean { return this.haveUsers || this.#rules.hasCertificates === true }

  get nameless (): Permit {
    const { topicPrefix, isOpen = false } = this.#rules
    return namelessPermit(this.#access.rules, { topicPrefix, isOpen: isOpen || !this.areThere })
  }

  roleOf ({ username, claimed }: Identity): Role {
    return roleOf(username, this.#access.roles ?? nobodyElse, claimed)
  }

  permitOf (identity: Identity): Permit {
    const who = { username: identity.username, role: this.roleOf(identity) }
    return permitOf(who, this.#access.rules, this.#rules.topicPrefix)
  }

  /** False once its password is another one, its token is revoked or expired, or its key is gone. */
  isStillGood ({ username, expiresAt, proof }: Identity): boolean {
    const { passwords, tokens } = this.#access
    switch (proof.kind) {
      case 'certificate': return !this.#revoked.has(proof.serial)
      case 'password': return passwords?.get(username)?.text === proof.text
      case 'token':
        return tokens !== undefined && isStillGood(proof, username, tokens) && (expiresAt ?? 0) > Date.now()
    }
  }

  async verify (credentials: Credentials): Promise<Verdict> {
    const { username, password, address } = credentials
    const { tokens, passwords } = this.#access
    const text = tokens === undefined ? '' : password?.toString() ?? ''
    if (tokens !== undefined && isToken(text)) return await this.#verifyToken(text, tokens, credentials)
    const name = parseUsername(username ?? '')
    if (name === undefined || password === undefined || passwords === undefined) return wrong(username ?? '', address)
    return await this.#verifyPassword({ ...credentials, username: name, password })
  }

  /** Whether this is a secret that is no user's. Guesses at it are slowed as those at passwords are. */
  async judgeSecret (given: string, secret: string, by: Pick<Credentials, 'address' | 'isGone'>): Promise<Judged> {
    const seal = this.#seal(SECRET, Buffer.from(given))
    const guess = { ...by, username: SECRET, seal }
    if (this.#proven.has(guess)) return 'right'
    return await this.#guesses.judge(guess, async () => {
      const isRight = timingSafeEqual(Buffer.from(seal), Buffer.from(this.#seal(SECRET, Buffer.from(secret))))
      if (isRight) this.#proven.add(guess)
      return isRight
    })
  }

  /** Passwords, tokens, rules and roles are these from now on. */
  configure (access: Access): void {
    const before = this.#access.passwords
    this.#access = access
    this.#decoys = hashesOf(access)
    this.#guesses.forgetSeen()
    for (const name of [...before?.keys() ?? [], ...access.passwords?.keys() ?? []]) {
      if (access.passwords?.get(name)?.text === before?.get(name)?.text) continue
      this.#proven.delete(name)
      this.#missed.delete(name)
    }
  }

  /** These certificates, as readSerial has them, count no more. */
  revoke (serials: ReadonlySet<string>): void {
    this.#revoked = serials
  }

  async #verifyToken (token: string, tokens: TokenRules, { username, address }: Credentials): Promise<Verdict> {
    const verdict = await this.#turns.take(addressGroup(address), () => verifyToken(token, tokens))
    const named = username ?? (verdict.kind === 'right' ? verdict.username : '')
    if (verdict.kind === 'wrong') {
      return { kind: 'wrong', detail: `the token of ${quote(named)} from ${address} does not count: ${verdict.detail}` }
    }
    if (verdict.username !== named) {
      return { kind: 'wrong', detail: `the token that ${quote(named)} showed from ${address} is of ${verdict.username}` }
    }
    const { role: claimed, expiresAt, proof } = verdict
    const identity: Identity = { username: named, claimed, expiresAt, proof }
    // The files may have been read again while this ran.
    return this.isStillGood(identity) ? { kind: 'known', identity } : wrong(named, address)
  }

  async #verifyPassword (
    { username, password, address, isGone }: Credentials & { readonly username: string, readonly password: Buffer }
  ): Promise<Verdict> {
    const guess = { username, address, seal: this.#seal(username, password), ...isGone === undefined ? {} : { isGone } }
    const judged = this.#proven.has(guess) ? 'right' : await this.#guesses.judge(guess, () => this.#isRight(guess, password))
    const text = this.#access.passwords?.get(username)?.text
    switch (judged) {
      case 'right':
        if (text === undefined) return wrong(username, address)
        return {
          kind: 'known', identity: { username, claimed: undefined, expiresAt: undefined, proof: { kind: 'password', text } }
        }
      case 'wrong': return wrong(username, address)
      case 'crowded':
        return { kind: 'crowded', detail: `too many connections of ${username} from ${address} wait to be verified` }
    }
  }

  async #isRight ({ username, seal, address }: Sealed, password: Buffer): Promise<boolean> {
    const entry = this.#access.passwords?.get(username)
    const hash = entry?.hash ?? this.#decoyOf(username)
    const isRight = hash !== undefined && await isPassword(password, hash)
    // The file may have been read again while this ran.
    if (!isRight || entry === undefined || this.#access.passwords?.get(username)?.text !== entry.text) {
      this.#missed.add(username, entry !== undefined)
      return false
    }
    this.#missed.delete(username)
    this.#proven.add({ username, seal, address })
    return true
  }

  /**
   * What an unknown name is verified against: the hash of some user, always of the same one, so that the
   * time taken does not tell which names there are, whatever iterations the file has.
   */
  #decoyOf (username: string): PasswordHash | undefined {
    const at = Buffer.from(this.#seal(username, Buffer.alloc(0)), 'hex').readUInt32BE() % this.#decoys.length
    return this.#decoys[at]
  }

  /** Nobody gave a wrong password for it since it was right or since the start, whether there is the name or not. */
  #isFresh (username: string): boolean {
    return username !== SECRET && !this.#missed.has(username)
  }

  #seal (username: string, password: Buffer): string {
    return createHmac('sha256', this.#key).update(`${username}:`).update(password).digest('hex')
  }
}

function hashesOf ({ passwords }: Access): PasswordHash[] {
  return [...passwords?.values() ?? []].map(({ hash }) => hash)
}

function wrong (username: string, address: string): Verdict {
  return { kind: 'wrong', detail: `a wrong name or password for ${quote(username)} from ${address}` }
}

function quote (username: string): string {
  return JSON.stringify(username.length > 64 ? `${username.slice(0, 64)}...` : username)
}
