import { readBody } from './body.ts'
import type { HttpLimits } from './deps.ts'
import type { Exchange } from './exchange.ts'
import { problem } from './problem.ts'
import type { Reply } from './reply.ts'

/** An operator's order is a few words; nothing longer is kept while it comes. */
const BYTES_MAX = 4096

export type JsonBody =
  | { readonly kind: 'object', readonly fields: Readonly<Record<string, unknown>> }
  | { readonly kind: 'reply', readonly reply: Reply | undefined }

/** The JSON object that a request brings; an empty one where it brings nothing. Fields beside `names` are refused. */
export async function readJsonBody (
  { request }: Pick<Exchange, 'request'>, names: readonly string[], limits: Pick<HttpLimits, 'stallMsMax' | 'bodyMsMax'>
): Promise<JsonBody> {
  const pieces: Buffer[] = []
  let bytes = 0
  const end = await readBody(request, (piece) => {
    bytes += piece.length
    if (bytes <= BYTES_MAX) pieces.push(piece)
  }, limits)
  if (end.kind === 'gone') return { kind: 'reply', reply: undefined }
  if (end.kind === 'late') return { kind: 'reply', reply: problem('too_slow', end.detail) }
  const example = `Send an object with ${names.join(', ')}.`
  const refuse = (detail: string): JsonBody => ({ kind: 'reply', reply: problem('bad_json', detail, { hint: example }) })
  if (bytes > BYTES_MAX) return refuse(`the body is longer than ${BYTES_MAX} bytes`)
  const fields = parseObject(Buffer.concat(pieces).toString())
  if (fields === undefined) return refuse('the body is not a JSON object')
  const foreign = Object.keys(fields).find((name) => !names.includes(name))
  if (foreign !== undefined) return refuse(`there is no field ${JSON.stringify(foreign.slice(0, 80))}`)
  return { kind: 'object', fields }
}

function parseObject (text: string): Readonly<Record<string, unknown>> | undefined {
  if (text.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    return value as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}
