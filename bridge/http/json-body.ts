import { parseObject } from '../json.ts'
import { readBody } from './body.ts'
import type { HttpLimits } from './deps.ts'
import type { Exchange } from './exchange.ts'
import { problem } from './problem.ts'
import type { Reply } from './reply.ts'

/** An operator's order is a few words. */
const BYTES_MAX = 4096

type Waits = Pick<HttpLimits, 'stallMsMax' | 'bodyMsMax'>

export type ShortBody =
  | { readonly kind: 'text', readonly text: string }
  | { readonly kind: 'too-long' }
  | { readonly kind: 'reply', readonly reply: Reply | undefined }

/** A body of at most `bytesMax`; of one that is longer nothing beyond them is kept while it comes. */
export async function readShortBody (
  request: Exchange['request'], bytesMax: number, limits: Waits
): Promise<ShortBody> {
  const pieces: Buffer[] = []
  let bytes = 0
  const end = await readBody(request, (piece) => {
    bytes += piece.length
    if (bytes <= bytesMax) pieces.push(piece)
  }, limits)
  if (end.kind === 'gone') return { kind: 'reply', reply: undefined }
  if (end.kind === 'late') return { kind: 'reply', reply: problem('too_slow', end.detail) }
  return bytes > bytesMax ? { kind: 'too-long' } : { kind: 'text', text: Buffer.concat(pieces).toString() }
}

export type JsonBody =
  | { readonly kind: 'object', readonly fields: Readonly<Record<string, unknown>> }
  | { readonly kind: 'reply', readonly reply: Reply | undefined }

/** The JSON object that a request brings; an empty one where it brings nothing. Fields beside `names` are refused. */
export async function readJsonBody (
  { request }: Pick<Exchange, 'request'>, names: readonly string[], limits: Waits
): Promise<JsonBody> {
  const body = await readShortBody(request, BYTES_MAX, limits)
  if (body.kind === 'reply') return body
  const example = names.length === 0 ? 'Send no body.' : `Send an object with ${names.join(', ')}.`
  const refuse = (detail: string): JsonBody => ({ kind: 'reply', reply: problem('bad_json', detail, { hint: example }) })
  if (body.kind === 'too-long') return refuse(`the body is longer than ${BYTES_MAX} bytes`)
  const fields = body.text.trim() === '' ? {} : parseObject(body.text)
  if (fields === undefined) return refuse('the body is not a JSON object')
  const foreign = Object.keys(fields).find((name) => !names.includes(name))
  if (foreign !== undefined) return refuse(`there is no field ${JSON.stringify(foreign.slice(0, 80))}`)
  return { kind: 'object', fields }
}
