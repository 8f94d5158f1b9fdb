import { refusal } from './errors.ts'
import type { RequestHead } from './sigv4.ts'

/** What a request says about its signature. Nothing in it is verified. */
export interface Claim {
  readonly accessKeyId: string
  /** The credential's scope. `date` is YYYYMMDD; `service` and `terminator` should be s3 and aws4_request. */
  readonly date: string
  readonly region: string
  readonly service: string
  readonly terminator: string
  readonly signedHeaders: readonly string[]
  /** 64 hex digits. */
  readonly signature: string
  /** ISO 8601 basic, as it is signed: YYYYMMDDTHHMMSSZ. */
  readonly timestamp: string
  readonly signedAt: number
  /** A presigned URL's life; undefined where the signature stands in the Authorization header. */
  readonly expiresSeconds: number | undefined
  /** The value of x-amz-content-sha256: a hash, or how the payload is covered. */
  readonly payload: string
}

const ALGORITHM = 'AWS4-HMAC-SHA256'
const EXPIRES_SECONDS_MAX = 7 * 24 * 3600

export function readClaim (head: RequestHead): Claim {
  const query = new Map(head.query)
  const { authorization } = head.headers
  if (authorization !== undefined) return readHeaderClaim(head, authorization)
  if (query.has('X-Amz-Algorithm')) return readQueryClaim(head, query)
  throw refusal('AccessDenied', 'the request is not signed')
}

function readHeaderClaim ({ headers }: RequestHead, authorization: string): Claim {
  const [algorithm, ...rest] = authorization.split(/\s+/)
  if (algorithm !== ALGORITHM) {
    throw refusal('InvalidRequest', `the authorization mechanism is not supported; please use ${ALGORITHM}`)
  }
  const fields = new Map(rest.join('').split(',').map((field) => splitAt(field, '=')))
  const payload = headers['x-amz-content-sha256']
  if (typeof payload !== 'string') {
    throw refusal('InvalidRequest', 'missing required header for this request: x-amz-content-sha256')
  }
  const malformed = (what: string) => refusal('AuthorizationHeaderMalformed', `the authorization header's ${what} is malformed`)
  return {
    ...readCredential(fields.get('Credential'), malformed),
    ...readTimestamp(headers['x-amz-date']),
    signedHeaders: readSignedHeaders(fields.get('SignedHeaders'), malformed),
    signature: readSignature(fields.get('Signature'), malformed),
    expiresSeconds: undefined,
    payload
  }
}

function readQueryClaim ({ headers }: RequestHead, query: ReadonlyMap<string, string>): Claim {
  const malformed = (what: string) => refusal('AuthorizationQueryParametersError', `the query's ${what} is malformed`)
  if (query.get('X-Amz-Algorithm') !== ALGORITHM) throw malformed('X-Amz-Algorithm')
  const expires = query.get('X-Amz-Expires') ?? ''
  if (!/^\d{1,6}$/.test(expires) || Number(expires) > EXPIRES_SECONDS_MAX) {
    throw refusal('AuthorizationQueryParametersError', 'X-Amz-Expires must be a number of seconds, at most a week')
  }
  const payload = query.get('X-Amz-Content-Sha256') ?? headers['x-amz-content-sha256']
  return {
    ...readCredential(query.get('X-Amz-Credential'), malformed),
    ...readTimestamp(query.get('X-Amz-Date')),
    signedHeaders: readSignedHeaders(query.get('X-Amz-SignedHeaders'), malformed),
    signature: readSignature(query.get('X-Amz-Signature'), malformed),
    expiresSeconds: Number(expires),
    payload: typeof payload === 'string' ? payload : 'UNSIGNED-PAYLOAD'
  }
}

type Malformed = (what: string) => Error

/** An access key may hold slashes; the four parts of the scope may not. */
function readCredential (text: string | undefined, malformed: Malformed) {
  const parts = (text ?? '').split('/')
  const [date, region, service, terminator] = parts.splice(-4)
  if (date === undefined || region === undefined || service === undefined || terminator === undefined) {
    throw malformed('Credential')
  }
  return { accessKeyId: parts.join('/'), date, region, service, terminator }
}

function readTimestamp (text: string | string[] | undefined) {
  const match = typeof text === 'string' ? /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) : null
  if (match === null) throw refusal('AccessDenied', 'authentication requires a valid x-amz-date, as in 20260131T235959Z')
  const [timestamp, year, month, day, hour, minute, second] = match
  return { timestamp, signedAt: Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) }
}

function readSignedHeaders (text: string | undefined, malformed: Malformed): string[] {
  const names = (text ?? '').split(';')
  if (names.some((name) => !/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name))) throw malformed('SignedHeaders')
  return names
}

function readSignature (text: string | undefined, malformed: Malformed): string {
  if (text === undefined || !/^[0-9a-f]{64}$/.test(text)) throw malformed('Signature')
  return text
}

function splitAt (text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)]
}
