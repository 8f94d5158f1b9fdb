import type { IncomingHttpHeaders } from 'node:http'
import { refusal } from './errors.ts'

/** Amazon S3 User Guide, "Working with object metadata": 2 kB of names and values in all. */
const metadataBytesMax = 2048

const kept = ['cache-control', 'content-disposition', 'content-encoding', 'content-language', 'content-type', 'expires']

/** Of an object that came without any (API Reference, PutObject, Content-Type). */
export const unnamedHeaders = { 'content-type': 'binary/octet-stream' }

// What these ask for is a promise, and one that this store does not keep.
const promises = [
  'x-amz-tagging', 'x-amz-website-redirect-location', 'x-amz-server-side-encryption', 'x-amz-object-lock-',
  'x-amz-grant-', 'x-amz-copy-source-server-side-encryption'
]

/** The headers that an object keeps and answers with, in lower case. */
export function readObjectHeaders (headers: IncomingHttpHeaders): Record<string, string> {
  refusePromises(headers)
  const own = Object.entries(headers).flatMap(([name, value]) =>
    typeof value === 'string' && (kept.includes(name) || name.startsWith('x-amz-meta-')) ? [[name, value] as const] : [])
  const metadata = own.filter(([name]) => name.startsWith('x-amz-meta-'))
  const bytes = metadata.reduce((sum, [name, value]) => sum + name.length - 'x-amz-meta-'.length + value.length, 0)
  if (bytes > metadataBytesMax) {
    throw refusal('MetadataTooLarge', `your metadata headers are ${bytes} bytes, more than the ${metadataBytesMax} that are allowed`)
  }
  for (const [name, value] of own) {
    // A presigned URL can carry what a header cannot, and then no GET could answer with it.
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) throw refusal('InvalidArgument', `${name} holds a character that no header can`)
  }
  const encoding = contentEncoding(headers['content-encoding'])
  return {
    ...unnamedHeaders,
    ...Object.fromEntries(own.filter(([name]) => name !== 'content-encoding')),
    ...(encoding === '' ? {} : { 'content-encoding': encoding })
  }
}

export function refusePromises (headers: IncomingHttpHeaders): void {
  const promise = Object.keys(headers).find((name) => promises.some((start) => name.startsWith(start)))
  if (promise !== undefined) throw refusal('NotImplemented', `${promise} implies functionality that is not implemented`)
}

/** aws-chunked is how the body travelled, not what it is (API Reference, PutObject, Content-Encoding). */
function contentEncoding (header: string | undefined): string {
  return (header ?? '').split(',').map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding.toLowerCase() !== 'aws-chunked').join(', ')
}
