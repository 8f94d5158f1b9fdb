import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { noSuchObject, type Answer, type Call, type Store } from './call.ts'
import { checksumHeader } from './checksums.ts'
import { checkConditions, isRangeFor, readRange, type Range } from './conditions.ts'
import { refusal } from './errors.ts'
import type { ObjectName, StoredObject } from './files.ts'

export async function getObject (store: Store, call: Call, name: ObjectName): Promise<Answer> {
  const open = await store.files.openObject(name)
  if (open === undefined) throw await noSuchObject(store, name)
  try {
    const { answer, range } = view(open.object, call)
    if (range === undefined) {
      await open.handle.close()
      return answer
    }
    return { ...answer, body: open.handle.createReadStream(range) } // closes the handle when it ends
  } catch (error) {
    await open.handle.close()
    throw error
  }
}

export async function headObject (store: Store, call: Call, name: ObjectName): Promise<Answer> {
  const object = await store.files.describe(name)
  if (object === undefined) throw await noSuchObject(store, name)
  return view(object, call).answer
}

/** The answer without its body, and which bytes would be that; undefined where it has none. */
function view (object: StoredObject, call: Call): { readonly answer: Answer, readonly range: Range | undefined } {
  const { description, bytes, modifiedAt } = object
  const validators = { etag: `"${description.etag}"`, 'last-modified': new Date(modifiedAt).toUTCString() }
  switch (checkConditions(object, call.headers)) {
    case 'not-modified': return { answer: { status: 304, headers: validators }, range: undefined }
    case 'failed': throw refusal('PreconditionFailed', 'at least one of the preconditions you specified did not hold')
    case 'holds':
  }
  const headers = { ...validators, 'accept-ranges': 'bytes', ...description.headers, ...readOverrides(call.query) }
  const range = isRangeFor(object, call.headers['if-range']?.toString()) ? readRange(call.headers.range, bytes) : undefined
  if (range === undefined) {
    const whole = bytes === 0 ? undefined : { start: 0, end: bytes - 1 }
    return { answer: { status: 200, headers: { ...headers, ...checksum(object, call.headers), 'content-length': bytes } }, range: whole }
  }
  const part = { 'content-range': `bytes ${range.start}-${range.end}/${bytes}`, 'content-length': range.end - range.start + 1 }
  return { answer: { status: 206, headers: { ...headers, ...part } }, range }
}

/** Of the whole object, and only for those who ask: an SDK would hold it against the part it was sent. */
function checksum ({ description }: StoredObject, headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  if (description.checksum === undefined || headers['x-amz-checksum-mode'] !== 'ENABLED') return {}
  const { algorithm, value } = description.checksum
  return { [checksumHeader(algorithm)]: value, 'x-amz-checksum-type': 'FULL_OBJECT' }
}

/** `response-content-type` and its like replace a header in this one answer. */
function readOverrides (query: ReadonlyMap<string, string>): OutgoingHttpHeaders {
  const prefix = 'response-'
  return Object.fromEntries([...query].flatMap(([name, value]) => {
    if (!name.startsWith(prefix)) return []
    if (/[^\t\x20-\x7e]/.test(value)) throw refusal('InvalidArgument', `${name} holds a character that no header can`)
    return [[name.slice(prefix.length), value]]
  }))
}
