// What S3 says when it refuses, with the HTTP status that goes with each code
// (Amazon S3 API Reference, "Error responses", "List of error codes").

const statuses = {
  AccessDenied: 403,
  AuthorizationHeaderMalformed: 400,
  AuthorizationQueryParametersError: 400,
  BadDigest: 400,
  BucketAlreadyOwnedByYou: 409,
  BucketNotEmpty: 409,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  IncompleteBody: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidDigest: 400,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidURI: 400,
  KeyTooLongError: 400,
  MalformedXML: 400,
  MetadataTooLarge: 400,
  MethodNotAllowed: 405,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchUpload: 404,
  NotImplemented: 501,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  SlowDown: 503,
  XAmzContentSHA256Mismatch: 400
} as const

export type RefusalCode = keyof typeof statuses

/** Status and code as a client sees them; a fault under test may make up its own. */
export interface StoreError {
  readonly status: number
  readonly code: string
}

/** A request that is not carried out. Thrown where it is known, made an error document in one place. */
export interface Refusal extends Error, StoreError {
  /** Response headers that belong to the refusal, such as Content-Range with a 416. */
  readonly headers: Readonly<Record<string, string>>
}

export function refusal (code: RefusalCode, message: string, headers: Record<string, string> = {}): Refusal {
  return refusalAs({ code, status: statuses[code] }, message, headers)
}

export function refusalAs (
  { code, status }: StoreError, message: string, headers: Record<string, string> = {}
): Refusal {
  return Object.assign(new Error(message), { code, status, headers })
}

export function isRefusal (error: unknown): error is Refusal {
  return error instanceof Error && 'status' in error && 'headers' in error
}

/** True for a system error with one of these codes, such as `ENOENT`. */
export function isErrno (error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
