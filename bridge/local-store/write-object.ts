import type { IncomingHttpHeaders } from 'node:http'
import { noSuchObject, readDeclaredDocument, readDocument, requireBucket, xmlAnswer, type Answer, type Call, type Store } from './call.ts'
import { readDeclaredBody, receiveBody, type DeclaredBody, type ReceivedBody } from './body.ts'
import { checksumHeader, type Checksum } from './checksums.ts'
import { checkConditions, readPutCondition } from './conditions.ts'
import type { Draft } from './drafts.ts'
import { isRefusal, refusal } from './errors.ts'
import type { ObjectName, OpenObject } from './files.ts'
import type { BucketName } from './keys.ts'
import { readObjectHeaders, refusePromises } from './object-headers.ts'
import { readCopySource } from './target.ts'
import { isElement } from './xml.ts'

/** API Reference, DeleteObjects: at most 1,000 keys. */
const deletesMax = 1000

export async function putObject (store: Store, call: Call, name: ObjectName): Promise<Answer> {
  const condition = readPutCondition(call.headers)
  const headers = readObjectHeaders(call.headers)
  const declared = readDeclaredBody(call.headers, call.payload, store.limits.objectBytesMax)
  await requireBucket(store, name.bucket)
  return await store.files.drafts.use(async (draft) => {
    const received = await receiveInto(draft, call, declared)
    const description = { md5: received.md5, etag: received.md5, checksum: received.checksum, headers }
    await store.files.commit(name, draft, description, condition)
    return { status: 200, headers: { etag: `"${description.etag}"`, ...checksumHeaders(received.checksum) } }
  })
}

export async function copyObject (store: Store, call: Call, name: ObjectName): Promise<Answer> {
  const source = readCopySource(String(call.headers['x-amz-copy-source']))
  const replaces = call.headers['x-amz-metadata-directive'] === 'REPLACE'
  refusePromises(call.headers)
  if (!replaces && source.bucket === name.bucket && source.key === name.key) {
    throw refusal('InvalidRequest', 'an object cannot be copied to itself without changing its metadata')
  }
  await requireBucket(store, name.bucket)
  const open = await openSource(store, call, source)
  try {
    const { description } = open.object
    const headers = replaces ? readObjectHeaders(call.headers) : description.headers
    return await store.files.drafts.use(async (draft) => {
      const pieces = open.handle.createReadStream({ start: 0, autoClose: false }) as AsyncIterable<Buffer>
      for await (const piece of pieces) await draft.write(piece)
      const copy = { ...description, etag: description.md5, headers }
      const { modifiedAt } = await store.files.commit(name, draft, copy)
      return xmlAnswer('CopyObjectResult', { ETag: `"${copy.etag}"`, LastModified: new Date(modifiedAt).toISOString() })
    })
  } finally {
    await open.handle.close()
  }
}

/** Opens the source of a copy, if it is the one that x-amz-copy-source-if-* means. */
export async function openSource (store: Store, call: Call, source: ObjectName): Promise<OpenObject> {
  const open = await store.files.openObject(source)
  if (open === undefined) throw await noSuchObject(store, source)
  if (checkConditions(open.object, sourceConditions(call.headers)) === 'holds') return open
  await open.handle.close()
  throw refusal('PreconditionFailed', 'at least one of the preconditions on the copy source did not hold')
}

function sourceConditions (headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const prefix = 'x-amz-copy-source-'
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith(`${prefix}if-`) ? [[name.slice(prefix.length), value] as const] : []))
}

export async function deleteObject (store: Store, name: ObjectName): Promise<Answer> {
  await requireBucket(store, name.bucket)
  await store.files.remove(name)
  return { status: 204 }
}

export async function deleteObjects (store: Store, call: Call, bucket: BucketName): Promise<Answer> {
  const { Object: objects, Quiet: quiet } = await readDocument(call, readDeclaredDocument(store, call), 'Delete')
  await requireBucket(store, bucket)
  const keys = readKeys(objects)
  const deleted: { Key: string }[] = []
  const errors: { Key: string, Code: string, Message: string }[] = []
  for (const Key of keys) {
    try {
      await store.files.remove({ bucket, key: Key })
      deleted.push({ Key })
    } catch (error) {
      if (!isRefusal(error)) throw error
      errors.push({ Key, Code: error.code, Message: error.message })
    }
  }
  return xmlAnswer('DeleteResult', { Deleted: quiet === 'true' ? [] : deleted, Error: errors })
}

function readKeys (objects: unknown): string[] {
  if (!Array.isArray(objects) || objects.length > deletesMax) {
    throw refusal('MalformedXML', `a Delete document names 1 to ${deletesMax} objects`)
  }
  return objects.map((object: unknown) => {
    const { Key: key, VersionId: version } = isElement(object) ? object : {}
    if (typeof key !== 'string' || key === '') throw refusal('MalformedXML', 'every Object in a Delete document has a Key')
    if (version !== undefined && version !== 'null') throw refusal('NotImplemented', 'versions are not implemented')
    return key
  })
}

export async function receiveInto (draft: Draft, call: Call, declared: DeclaredBody): Promise<ReceivedBody> {
  return await receiveBody(call.body, declared, async (piece) => { await draft.write(piece) })
}

export function checksumHeaders (checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined) return {}
  return { [checksumHeader(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': 'FULL_OBJECT' }
}
