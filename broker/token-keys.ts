import { createHash, createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from 'node:crypto'

// The keys that tokens are verified with. A key is good for one algorithm, which is told by what it is and
// never by what a token says: so nobody signs with a public key as if it were a secret.

export type Algorithm = 'HS256' | 'RS256' | 'ES256' | 'EdDSA'

export interface TokenKey {
  readonly algorithm: Algorithm
  /** What a token may name it by. */
  readonly kid: string | undefined
  readonly key: KeyObject
  /** Of its material: two keys are the same one exactly where these are the same. */
  readonly id: string
}

export interface ReadKeys {
  readonly keys: readonly TokenKey[]
  /** Predicates, for the person who made the file. */
  readonly problems: readonly string[]
}

/** RFC 7518, 3.2 and 3.3. */
const SECRET_BYTES_MIN = 32
const RSA_BITS_MIN = 2048

export function parseSecret (text: string): ReadKeys {
  const secret = Buffer.from(text.trim())
  if (secret.length < SECRET_BYTES_MIN) {
    return wrong(`holds a secret of ${secret.length} bytes; write ${SECRET_BYTES_MIN} or more, like: openssl rand -base64 48`)
  }
  return { keys: [toKey('HS256', createSecretKey(secret))], problems: [] }
}

export function parsePublicKeys (pem: string): ReadKeys {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    return wrong('holds a private key; put the public one there (openssl pkey -pubout) and keep the private one where tokens are made')
  }
  const blocks = pem.match(/-----BEGIN ([A-Z0-9 ]+)-----[^]*?-----END \1-----/g) ?? []
  if (blocks.length === 0) return wrong('holds no public key in PEM')
  return join(blocks.map((block) => readKey(() => createPublicKey(block), undefined)))
}

interface Jwk {
  readonly kty?: unknown
  readonly kid?: unknown
  readonly use?: unknown
  readonly alg?: unknown
  readonly k?: unknown
  readonly d?: unknown
}

/** Keys for what else a set is used for are left out. */
export function parseKeySet (json: string): ReadKeys {
  const keys = keysIn(json)
  if (keys === undefined) return wrong('is no JSON Web Key Set: {"keys": [...]}')
  const read = join(keys.map(readJwk))
  return read.keys.length > 0 || read.problems.length > 0 ? read : wrong('holds no key for HS256, RS256, ES256 or EdDSA')
}

function keysIn (json: string): readonly Jwk[] | undefined {
  try {
    const { keys } = JSON.parse(json) as { keys?: unknown }
    return Array.isArray(keys) && keys.every((key) => typeof key === 'object' && key !== null) ? keys as Jwk[] : undefined
  } catch {
    return undefined
  }
}

function readJwk (jwk: Jwk): ReadKeys {
  const { kty, kid, use, alg, k, d } = jwk
  if (use !== undefined && use !== 'sig') return { keys: [], problems: [] }
  const name = typeof kid === 'string' ? kid : undefined
  const read = kty === 'oct' && typeof k === 'string'
    ? readSecret(Buffer.from(k, 'base64url'), name)
    : d !== undefined
      ? wrong(`holds the private part of ${name === undefined ? 'a key' : `key ${name}`}; leave d out`)
      : readKey(() => createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }), name)
  // Of another algorithm: somebody else's business.
  if (alg === undefined || read.keys.every(({ algorithm }) => algorithm === alg || (algorithm === 'EdDSA' && alg === 'Ed25519'))) return read
  return { keys: [], problems: [] }
}

function readSecret (secret: Buffer, kid: string | undefined): ReadKeys {
  if (secret.length < SECRET_BYTES_MIN) return wrong(`holds a secret of ${secret.length} bytes; make one of ${SECRET_BYTES_MIN} or more`)
  return { keys: [toKey('HS256', createSecretKey(secret), kid)], problems: [] }
}

function readKey (create: () => KeyObject, kid: string | undefined): ReadKeys {
  let key: KeyObject
  try {
    key = create()
  } catch (cause) {
    return wrong(`holds a key that cannot be read (${cause instanceof Error ? cause.message : String(cause)})`)
  }
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'rsa' && modulusLength < RSA_BITS_MIN) {
    return wrong(`holds an RSA key of ${modulusLength} bits; make one of ${RSA_BITS_MIN} or more`)
  }
  const algorithm = algorithmOf(key.asymmetricKeyType, namedCurve)
  if (algorithm !== undefined) return { keys: [toKey(algorithm, key, kid)], problems: [] }
  return wrong(`holds a key of type ${key.asymmetricKeyType} ${namedCurve ?? ''}; use RSA, P-256 or Ed25519`)
}

function algorithmOf (type: string | undefined, curve: string | undefined): Algorithm | undefined {
  if (type === 'rsa') return 'RS256'
  if (type === 'ed25519') return 'EdDSA'
  return type === 'ec' && curve === 'prime256v1' ? 'ES256' : undefined
}

function toKey (algorithm: Algorithm, key: KeyObject, kid?: string): TokenKey {
  const material = key.type === 'secret' ? key.export() : key.export({ type: 'spki', format: 'der' })
  return { algorithm, kid, key, id: createHash('sha256').update(algorithm).update(material).digest('hex') }
}

function wrong (problem: string): ReadKeys {
  return { keys: [], problems: [problem] }
}

function join (all: readonly ReadKeys[]): ReadKeys {
  return { keys: all.flatMap(({ keys }) => keys), problems: all.flatMap(({ problems }) => problems) }
}
