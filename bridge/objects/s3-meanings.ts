// What goes wrong at an S3 store, as a table: what each error is called, whose fault it is, and what an
// operator is to do. Names are those of the S3 API Reference ("Error responses"), of radosgw, MinIO and
// node; `HTTP nnn` is an answer without a name, such as one to HEAD or a proxy's.
//
// Only what can be nothing but the object's fault is refused. Credentials, buckets, clocks and anything
// unknown are the store's or the configuration's: the image is kept for them.

import type { RefusedReason, UnavailableReason } from './object-store.ts'

/** In `say`, {answer} stands for the store's own words in parentheses, other braces for a field of Target. */
export type Meaning = {
  readonly marks: readonly string[]
  readonly say: string
  /** Says what this key may not do, and leaves open whether it may put. */
  readonly leavesPutsOpen?: true
} &
  ({ readonly unavailable: UnavailableReason } | { readonly refused: RefusedReason })

export const MEANINGS: readonly Meaning[] = [
  // The line
  {
    marks: ['AbortError'],
    unavailable: 'aborted',
    say: 'the request was stopped before {endpoint} had answered'
  },
  {
    marks: ['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'ENODATA'],
    unavailable: 'dns',
    say: 'the name in {endpoint} is not resolved: check s3.endpoint and the name server {answer}'
  },
  {
    marks: [
      'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'EADDRNOTAVAIL',
      'ERR_INVALID_URL'
    ],
    unavailable: 'connect',
    say: 'no connection to {endpoint}: check s3.endpoint, that the store runs, and the firewall {answer}'
  },
  {
    marks: ['ETIMEDOUT', 'TimeoutError', 'RequestTimeout', 'RequestTimeoutException', 'HTTP 408', 'HTTP 504'],
    unavailable: 'timeout',
    say: 'no answer from {endpoint} in time (uplink.timeout is {seconds} s): check the line and the store'
  },
  {
    marks: ['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE', 'IncompleteBody'],
    unavailable: 'reset',
    say: '{endpoint} broke the connection off {answer}'
  },
  {
    marks: [
      'EPROTO', 'ERR_SSL', 'ERR_TLS_CERT_ALTNAME_INVALID', 'CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID',
      'CERT_UNTRUSTED', 'CERT_REVOKED', 'CERT_REJECTED', 'CERT_SIGNATURE_FAILURE',
      'SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'
    ],
    unavailable: 'tls',
    say: 'no TLS with {endpoint}: check its certificate, NODE_EXTRA_CA_CERTS for an authority of your own, ' +
      'and whether it speaks https {answer}'
  },
  // The credentials
  {
    marks: ['InvalidAccessKeyId', 'InvalidClientTokenId', 'UnrecognizedClientException'],
    unavailable: 'auth',
    say: '{endpoint} does not know {credentials}: check s3.accessKeyId'
  },
  {
    marks: ['SignatureDoesNotMatch'],
    unavailable: 'auth',
    say: 'the secret of {credentials} is not the one that {endpoint} knows: check s3.secretAccessKey'
  },
  {
    marks: ['ExpiredToken', 'ExpiredTokenException', 'InvalidToken', 'TokenRefreshRequired'],
    unavailable: 'auth',
    say: 'the session of {credentials} is over: renew the credentials'
  },
  {
    marks: ['CredentialsProviderError', 'TokenProviderError'],
    unavailable: 'auth',
    say: 'no credentials: set s3.accessKeyId and s3.secretAccessKey, or the standard AWS ones {answer}'
  },
  {
    marks: ['ERR_INVALID_CHAR'],
    unavailable: 'auth',
    say: '{credentials}: a character that no HTTP header can have, such as the end of a line {answer}'
  },
  {
    marks: ['RequestTimeTooSkewed', 'RequestExpired'],
    unavailable: 'auth',
    say: 'the clock here and the one of {endpoint} differ too much: set this one, by NTP for example'
  },
  {
    marks: ['AuthorizationHeaderMalformed'],
    unavailable: 'auth',
    say: '{endpoint} takes no signature for region "{region}": set s3.region {answer}'
  },
  {
    marks: [
      'AccessDenied', 'Forbidden', 'AccountProblem', 'AllAccessDisabled', 'NotSignedUp',
      'HTTP 401', 'HTTP 403'
    ],
    unavailable: 'auth',
    leavesPutsOpen: true,
    say: 'bucket "{bucket}" at {endpoint} is closed to {credentials}: allow s3:PutObject there, or check ' +
      's3.accessKeyId and s3.secretAccessKey {answer}'
  },
  // The bucket
  {
    marks: ['NoSuchBucket', 'NotFound', 'HTTP 404'],
    unavailable: 'no_bucket',
    say: 'bucket "{bucket}" does not exist at {endpoint}: create it, or set s3.bucket'
  },
  {
    marks: ['InvalidBucketName'],
    unavailable: 'no_bucket',
    say: 'bucket "{bucket}" has a name that no bucket can have: set s3.bucket'
  },
  {
    marks: ['PermanentRedirect', 'IncorrectEndpoint', 'IllegalLocationConstraintException', 'HTTP 301'],
    unavailable: 'no_bucket',
    say: 'bucket "{bucket}" is not in region "{region}" at {endpoint}: set s3.region or s3.endpoint'
  },
  // The store
  {
    marks: [
      'SlowDown', 'RequestLimitExceeded', 'Throttling', 'ThrottlingException', 'RequestThrottled',
      'TooManyRequests', 'TooManyRequestsException', 'BandwidthLimitExceeded', 'HTTP 429'
    ],
    unavailable: 'throttled',
    say: '{endpoint} asks for fewer requests {answer}'
  },
  {
    marks: ['QuotaExceeded', 'XMinioStorageFull', 'XMinioAdminBucketQuotaExceeded', 'HTTP 507'],
    unavailable: 'server_error',
    say: 'bucket "{bucket}" at {endpoint} is full: raise its quota, or remove objects {answer}'
  },
  {
    marks: [
      'OtherBytes', 'BadDigest', 'XAmzContentSHA256Mismatch', 'XAmzContentChecksumMismatch', 'InvalidDigest'
    ],
    unavailable: 'checksum',
    say: 'the bytes that reached {endpoint} are not those that were sent {answer}'
  },
  {
    marks: ['NoETag'],
    unavailable: 'server_error',
    say: '{endpoint} named no ETag for what it took, as every S3 server does: check s3.endpoint'
  },
  {
    marks: ['NoUploadId'],
    unavailable: 'server_error',
    say: '{endpoint} began an upload in parts and gave it no name: raise s3.partSize to put objects in one'
  },
  {
    marks: ['NoSuchUpload', 'InvalidPart', 'InvalidPartOrder'],
    unavailable: 'server_error',
    say: '{endpoint} has forgotten the parts that it had of this object, which is sent from the beginning {answer}'
  },
  {
    marks: ['NotItsHash'],
    unavailable: 'checksum',
    say: 'the bytes of this object are not those of its SHA-256, and none was sent'
  },
  // The object
  {
    marks: ['EntityTooLarge', 'MaxMessageLengthExceeded', 'HTTP 413'],
    refused: 'too_large',
    say: '{endpoint} takes no object of this size {answer}'
  },
  {
    marks: ['KeyTooLongError', 'InvalidObjectName', 'XMinioInvalidObjectName', 'InvalidURI', 'URIError'],
    refused: 'bad_key',
    say: '{endpoint} takes no object under this key: check s3.key {answer}'
  },
  {
    marks: ['MetadataTooLarge', 'HTTP 431'],
    refused: 'bad_metadata',
    say: '{endpoint} takes less metadata than this object has {answer}'
  },
  {
    marks: ['BadMetadataName'],
    refused: 'bad_metadata',
    say: 'a name in the metadata has other characters than letters, digits and . _ -'
  },
  {
    marks: ['KeyTaken'],
    refused: 'key_taken',
    say: 'bucket "{bucket}" has another object under this key: let s3.key name each image, ' +
      'or turn s3.ifNoneMatch off'
  },
  {
    marks: ['InvalidArgument', 'InvalidRequest', 'InvalidStorageClass', 'UnsupportedArgument'],
    refused: 'store_refused',
    say: '{endpoint} does not take this object {answer}'
  }
]

/** Where no row has a mark of the error. */
export const UNKNOWN: Meaning = {
  marks: [],
  unavailable: 'server_error',
  say: '{endpoint} gave no usable answer {answer}'
}
