import { decodeProtectedHeader, errors, jwtVerify, type JWTPayload } from 'jose'
import { parseUsername, type LineProblem } from './passwords.ts'
import type { Algorithm, TokenKey } from './token-keys.ts'

// JSON Web Tokens (RFC 7519) as passwords: sub is the user, exp is when the session ends.

export interface TokenRules {
  readonly keys: readonly TokenKey[]
  readonly issuer: string | undefined
  readonly audience: string | undefined
  readonly revoked: Revoked
}

export interface Revoked {
  readonly ids: ReadonlySet<string>
  readonly subjects: ReadonlySet<string>
}

export type TokenRole = 'device' | 'viewer' | 'operator'

/** What of a token goes on to count once it was verified. */
export interface TokenProof {
  readonly kind: 'token'
  readonly keyId: string
  readonly tokenId: string | undefined
}

export type TokenVerdict =
  | {
    readonly kind: 'right'
    readonly username: string
    /** As the token says. */
    readonly role: TokenRole | undefined
    /** Ms since epoch. */
    readonly expiresAt: number
    readonly proof: TokenProof
  }
  | { readonly kind: 'wrong', readonly detail: string }

/** Keys that one token is tried with: of a set whose keys have no kid. */
const TRIED_MAX = 16

/** Three parts of base64url, the first of which is JSON: so no password is taken for a token. */
export function isToken (text: string): boolean {
  return /^[\w-]+\.[\w-]*\.[\w-]*$/.test(text) && headerOf(text) !== undefined
}

export async function verifyToken (token: string, rules: TokenRules, now = Date.now()): Promise<TokenVerdict> {
  const { alg, kid } = headerOf(token) ?? {}
  const keys = rules.keys
    .filter(({ algorithm }) => namesOf(algorithm).includes(String(alg)))
    .filter((key) => kid === undefined || key.kid === undefined || key.kid === kid)
    .slice(0, TRIED_MAX)
  let why = `no key of ours verifies alg ${JSON.stringify(alg)}${kid === undefined ? '' : ` and kid ${JSON.stringify(kid)}`}`
  for (const key of keys) {
    try {
      const { payload } = await jwtVerify(token, key.key, {
        algorithms: namesOf(key.algorithm),
        requiredClaims: ['exp', 'sub'],
        currentDate: new Date(now),
        ...rules.issuer === undefined ? {} : { issuer: rules.issuer },
        ...rules.audience === undefined ? {} : { audience: rules.audience }
      })
      return judge(payload, key, rules)
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error
      why = error.message
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) break // another key would say the same
    }
  }
  return { kind: 'wrong', detail: why }
}

/** False once its key is gone, or the token or its user is revoked. */
export function isStillGood ({ keyId, tokenId }: TokenProof, username: string, { keys, revoked }: TokenRules): boolean {
  if (revoked.subjects.has(username) || (tokenId !== undefined && revoked.ids.has(tokenId))) return false
  return keys.some(({ id }) => id === keyId)
}

function judge ({ sub, jti, exp = 0, ...claims }: JWTPayload, { id }: TokenKey, rules: TokenRules): TokenVerdict {
  // jose holds neither to be a string.
  const username = typeof sub === 'string' ? parseUsername(sub) : undefined
  if (jti !== undefined && typeof jti !== 'string') return { kind: 'wrong', detail: 'its jti is no string' }
  if (username === undefined) return { kind: 'wrong', detail: 'its sub is no name that a user may have' }
  const role = claims['role']
  if (role !== undefined && role !== 'device' && role !== 'viewer' && role !== 'operator') {
    return { kind: 'wrong', detail: 'its role is none of device, viewer and operator' }
  }
  const proof: TokenProof = { kind: 'token', keyId: id, tokenId: jti }
  if (!isStillGood(proof, username, rules)) return { kind: 'wrong', detail: 'it was revoked' }
  return { kind: 'right', username, role, expiresAt: exp * 1000, proof }
}

function namesOf (algorithm: Algorithm): string[] {
  return algorithm === 'EdDSA' ? ['EdDSA', 'Ed25519'] : [algorithm] // RFC 9864 names the curve
}

function headerOf (token: string): { readonly alg?: unknown, readonly kid?: unknown } | undefined {
  try {
    return decodeProtectedHeader(token)
  } catch {
    return undefined
  }
}

/** One a line: `jti <id>` or `sub <user>`; empty lines and lines that begin with # between them. */
export function parseRevoked (text: string): { revoked: Revoked, problems: readonly LineProblem[] } {
  const [ids, subjects] = [new Set<string>(), new Set<string>()]
  const problems: LineProblem[] = []
  for (const [at, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const [, word, value = ''] = /^(jti|sub)\s+(\S.*)$/.exec(line) ?? []
    if (word === 'jti') ids.add(value)
    else if (word === 'sub') subjects.add(value)
    else problems.push({ line: at + 1, message: 'is neither jti <id> nor sub <user>' })
  }
  return { revoked: { ids, subjects }, problems }
}
