import { refusal } from './errors.ts'
import type { ObjectName } from './files.ts'
import { decoded, keyBytesMax, parseBucket, type BucketName } from './keys.ts'

/** What a request line points at, path style: `/`, `/bucket`, `/bucket/key?query`. */
export interface Target {
  /** Percent-encoded, as it is signed. */
  readonly path: string
  readonly bucket: BucketName | undefined
  readonly key: string | undefined
  readonly query: readonly (readonly [name: string, value: string])[]
}

/** Read by hand: a URL class would resolve the dots of `/bucket/../a`, which is a key like any other. */
export function readTarget (url: string): Target {
  const at = url.indexOf('?')
  const path = at < 0 ? url : url.slice(0, at)
  const query = at < 0 ? [] : readQuery(url.slice(at + 1))
  const match = /^\/([^/]*)(?:\/(.*))?$/s.exec(readText(path))
  if (match === null) throw refusal('InvalidURI', `${path} is not the path of a bucket or an object`)
  const [, bucket = '', key = ''] = match
  return { path, query, ...readNames(bucket, key) }
}

/** `bucket/key` or `/bucket/key`, percent-encoded (API Reference, CopyObject, x-amz-copy-source). */
export function readCopySource (header: string): ObjectName {
  const { query, bucket, key } = readTarget(header.startsWith('/') ? header : `/${header}`)
  if (query.length > 0) throw refusal('NotImplemented', 'a version in x-amz-copy-source is not implemented')
  if (bucket === undefined || key === undefined) {
    throw refusal('InvalidArgument', 'x-amz-copy-source must name a bucket and a key: bucket/key')
  }
  return { bucket, key }
}

function readNames (bucket: string, key: string): Pick<Target, 'bucket' | 'key'> {
  const name = parseBucket(bucket)
  if (name === undefined && bucket + key !== '') throw refusal('InvalidBucketName', `the specified bucket is not valid: ${bucket}`)
  if (Buffer.byteLength(key) > keyBytesMax) throw refusal('KeyTooLongError', `your key is longer than ${keyBytesMax} bytes`)
  return { bucket: name, key: key === '' ? undefined : key }
}

function readQuery (text: string): (readonly [string, string])[] {
  return text.split('&').filter((pair) => pair !== '').map((pair) => {
    const [name = '', ...value] = pair.replaceAll('+', ' ').split('=')
    return [readText(name), readText(value.join('='))] as const
  })
}

function readText (encoded: string): string {
  const text = decoded(encoded)
  if (text === undefined) throw refusal('InvalidURI', `${encoded} is not percent-encoded UTF-8`)
  return text
}
