import { Bucket, type StoreAccess } from './bucket.ts'
import { SimulatorError } from '../errors.ts'

/** A store that takes the connection and says nothing is given up after this. */
const PROBE_MS_MAX = 15_000

/** What the AWS SDK rejects with, as far as it matters here. */
export interface S3Trouble {
  readonly name?: string
  readonly code?: string
  readonly message?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
}

/** Lists one page, so that a run does not go its whole length before it is told. Throws a SimulatorError. */
export async function probeStore (access: StoreAccess, signal: AbortSignal, timeoutMs = PROBE_MS_MAX): Promise<void> {
  const stop = new AbortController()
  const end = (): void => { stop.abort() }
  const timer = setTimeout(end, timeoutMs)
  signal.addEventListener('abort', end)
  const bucket = new Bucket(access)
  try {
    await bucket.list(stop.signal).next()
  } catch (cause) {
    if (signal.aborted) return
    const trouble = stop.signal.aborted ? { message: `it said nothing for ${timeoutMs / 1000} s` } : cause as S3Trouble
    throw new SimulatorError('UNAVAILABLE', explain(access, trouble))
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', end)
    bucket.close()
  }
}

function explain ({ endpoint = 'AWS', bucket, accessKeyId }: StoreAccess, trouble: S3Trouble): string {
  const { name = '', code, message, $metadata } = trouble
  const kind = code ?? name
  const reason = message === undefined || message === '' ? kind : message.includes(kind) ? message : `${kind}: ${message}`
  const status = $metadata?.httpStatusCode ?? 0
  if (name === 'CredentialsProviderError') {
    return `there are no credentials for the object store at ${endpoint}; name its file with --s3-file, ` +
      'or say --s3-access-key-id and --s3-secret-access-key'
  }
  if (status === 404) {
    return `the object store at ${endpoint} has no bucket ${bucket} (${reason}); make it, or name another with --s3-bucket`
  }
  if (status === 401 || status === 403) {
    return `the object store at ${endpoint} refuses the credentials${accessKeyId === undefined ? '' : ` ${accessKeyId}`} for the bucket ${bucket} ` +
      `(${reason}); check --s3-access-key-id and --s3-secret-access-key, or the file of --s3-file`
  }
  if (status === 0) return `no object store answers at ${endpoint} (${reason}); start it, or name another with --s3-file or --s3-endpoint`
  return `the object store at ${endpoint} answers ${status} to a listing of the bucket ${bucket} (${reason}); ` +
    'without it nothing can be judged, so repair it or leave --verify out'
}
