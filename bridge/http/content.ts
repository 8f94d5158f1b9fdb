import { within } from '../deadline.ts'
import type { Entry, Held } from '../entry.ts'
import { EntryCorrupt } from '../spool/errors.ts'
import type { HttpDeps, HttpLimits } from './deps.ts'
import type { Exchange, Handler } from './exchange.ts'
import { findImage } from './find-image.ts'
import { problem } from './problem.ts'
import { empty, type Reply } from './reply.ts'

const STORE_MS_MAX = 30_000

/** The picture itself: from the spool while it is ours, from the store once that has it. */
export function createContentHandler (
  { spool, store }: Pick<HttpDeps, 'spool' | 'store'>, { contentReadsMax }: Pick<HttpLimits, 'contentReadsMax'>
): Handler {
  let reading = 0

  async function show ({ id, request, gone }: Exchange): Promise<Reply> {
    const found = await findImage(spool, id)
    if (found.kind === 'not-found') return found.reply
    const headers = contentHeaders(found.held.entry)
    if (found.held.state !== 'dropped' && request.headers['if-none-match'] === headers.etag) return empty(304, headers)
    if (reading >= contentReadsMax) {
      return problem('busy', `${reading} pictures are being read already`, { headers: { 'retry-after': '1' } })
    }
    reading++
    try {
      const body = await read(found.held, gone)
      return Buffer.isBuffer(body) ? { status: 200, headers, body } : body
    } finally {
      reading--
    }
  }

  async function read (held: Held, gone: AbortSignal): Promise<Buffer | Reply> {
    switch (held.state) {
      case 'waiting':
      case 'failed':
        return await readOurs(held.entry, gone)
      case 'uploaded':
        return await readStored(held.upload.key, gone)
      case 'dropped':
        return problem('deleted', 'an operator deleted it before it was uploaded')
    }
  }

  async function readOurs (entry: Entry, gone: AbortSignal): Promise<Buffer | Reply> {
    try {
      return await spool.payload(entry)
    } catch (error) {
      if (!(error instanceof EntryCorrupt)) throw error
      const now = await spool.find(entry.deviceId, entry.imageId) // it may have gone to the store meanwhile
      if (now?.state === 'uploaded') return await readStored(now.upload.key, gone)
      return problem('damaged', error.message)
    }
  }

  async function readStored (key: string, gone: AbortSignal): Promise<Buffer | Reply> {
    try {
      const body = await within(STORE_MS_MAX, gone, (signal) => store.get(key, signal))
      return body ?? problem('store_lost', `there is no ${key} at ${store.place} any more`)
    } catch (error) {
      return problem('store_unreachable', `${store.place}: ${(error as Error).message}`)
    }
  }

  return show
}

type ContentHeaders = Readonly<Record<string, string>> & { readonly etag: string }

/** The type was found in the bytes at intake, and no browser is to find another (nosniff on every reply). */
function contentHeaders ({ sequence, crc32, contentType, imageId }: Entry): ContentHeaders {
  return {
    'content-type': contentType,
    'content-disposition': `inline; filename="${imageId}.${contentType.split('/')[1] ?? 'bin'}"`,
    'content-security-policy': "default-src 'none'; sandbox",
    'cache-control': 'private, max-age=3600',
    etag: `"${sequence.toString(16)}-${crc32.toString(16)}"`
  }
}
