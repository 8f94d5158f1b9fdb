import type { IncomingHttpHeaders } from 'node:http'
import { refusal } from './errors.ts'
import type { PutCondition, StoredObject } from './files.ts'

/** What a GET's conditions come to: the object, 304 (you have it), or 412 (it is another). */
export type Verdict = 'holds' | 'not-modified' | 'failed'

/** In the order of RFC 9110, section 13.2.2. Times are compared as HTTP has them, in whole seconds. */
export function checkConditions ({ description, modifiedAt }: StoredObject, headers: IncomingHttpHeaders): Verdict {
  const seconds = Math.floor(modifiedAt / 1000)
  const since = (header: string | undefined) => header === undefined ? NaN : Date.parse(header) / 1000
  const { 'if-match': match, 'if-none-match': noneMatch } = headers

  if (match !== undefined && !names(match, description.etag)) return 'failed'
  if (match === undefined && seconds > since(headers['if-unmodified-since'])) return 'failed'
  if (noneMatch !== undefined) return names(noneMatch, description.etag) ? 'not-modified' : 'holds'
  return seconds <= since(headers['if-modified-since']) ? 'not-modified' : 'holds'
}

/** S3 knows `If-None-Match: *` and `If-Match` with an ETag on a write ("Conditional writes"), and no other. */
export function readPutCondition (headers: IncomingHttpHeaders): PutCondition {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers
  if (match !== undefined && noneMatch === undefined) return { kind: 'etag', etag: unquoted(match) }
  if (noneMatch === undefined) return { kind: 'none' }
  if (noneMatch.trim() === '*' && match === undefined) return { kind: 'absent' }
  throw refusal('NotImplemented', 'a write can have If-None-Match: * or If-Match with one ETag')
}

/** A client that resumes says of which version it wants the rest (RFC 9110, If-Range). */
export function isRangeFor ({ description, modifiedAt }: StoredObject, condition: string | undefined): boolean {
  return condition === undefined || unquoted(condition) === description.etag ||
    condition === new Date(modifiedAt).toUTCString()
}

export interface Range {
  readonly start: number
  /** The last byte, included. */
  readonly end: number
}

/**
 * Undefined where the whole is meant: no header, several ranges, or none that can be read (RFC 9110,
 * section 14.2). Refused where it starts behind the last byte.
 */
export function readRange (header: string | undefined, bytes: number): Range | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? []
  if (first === '' && last === '') return undefined
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  const start = first === '' ? Math.max(0, bytes - Number(last)) : Number(first)
  const end = first === '' || last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1)
  if (start > end) {
    throw refusal('InvalidRange', 'the requested range is not satisfiable', { 'content-range': `bytes */${bytes}` })
  }
  return { start, end }
}

function names (header: string, etag: string): boolean {
  return header.trim() === '*' || header.split(',').some((tag) => unquoted(tag.replace(/^\s*W\//, '')) === etag)
}

function unquoted (tag: string): string {
  return tag.trim().replace(/^"(.*)"$/, '$1')
}
