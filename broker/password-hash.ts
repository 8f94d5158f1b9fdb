import { createHash, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

// One password as mosquitto_passwd writes it, base64 with its padding:
//
//   $7$<iterations>$<salt>$<hash>   PBKDF2 with HMAC-SHA-512, 64 bytes
//   $6$<salt>$<hash>                SHA-512 of the password and then the salt, 64 bytes

export type PasswordHash = Readonly<{ salt: Buffer, hash: Buffer }> & (
  | { readonly kind: 'pbkdf2', readonly iterations: number }
  | { readonly kind: 'sha512' })

const HASH_BYTES = 64
const SALT_BYTES = 12
/** Of one verification this is some seconds: a slip of the keys must not hold the thread pool for hours. */
export const ITERATIONS_MAX = 5_000_000
/** A restart must let thousands of devices in within seconds, and their passwords are best made by a machine. */
export const ITERATIONS = 1_000

const derive = promisify(pbkdf2)

/** Undefined: no format we know. */
export function parseHash (text: string): PasswordHash | undefined {
  const [empty, kind, ...fields] = text.split('$')
  if (empty !== '') return undefined
  if (kind === '6' && fields.length === 2) {
    const bytes = decode(fields)
    return bytes === undefined ? undefined : { kind: 'sha512', ...bytes }
  }
  if (kind !== '7' || fields.length !== 3) return undefined
  const [digits = '', ...coded] = fields
  const iterations = /^\d{1,9}$/.test(digits) ? Number(digits) : 0
  const bytes = decode(coded)
  if (bytes === undefined || iterations < 1 || iterations > ITERATIONS_MAX) return undefined
  return { kind: 'pbkdf2', iterations, ...bytes }
}

export function formatHash (one: PasswordHash): string {
  const coded = `${one.salt.toString('base64')}$${one.hash.toString('base64')}`
  return one.kind === 'sha512' ? `$6$${coded}` : `$7$${one.iterations}$${coded}`
}

export async function hashPassword (password: string, iterations = ITERATIONS): Promise<PasswordHash> {
  const salt = randomBytes(SALT_BYTES)
  return { kind: 'pbkdf2', iterations, salt, hash: await derive(password, salt, iterations, HASH_BYTES, 'sha512') }
}

/** PBKDF2 runs on libuv's thread pool, never on the event loop. */
export async function isPassword (password: Buffer, one: PasswordHash): Promise<boolean> {
  const given = one.kind === 'pbkdf2'
    ? await derive(password, one.salt, one.iterations, HASH_BYTES, 'sha512')
    : createHash('sha512').update(password).update(one.salt).digest()
  return timingSafeEqual(given, one.hash)
}

function decode ([salted = '', hashed = '']: readonly string[]): { salt: Buffer, hash: Buffer } | undefined {
  const [salt, hash] = [Buffer.from(salted, 'base64'), Buffer.from(hashed, 'base64')]
  return salt.length > 0 && hash.length === HASH_BYTES ? { salt, hash } : undefined
}
