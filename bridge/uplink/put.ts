import { webcrypto } from 'node:crypto'
import type { Entry } from '../entry.ts'
import type { Observe } from '../events.ts'
import type { BodyCount } from '../objects/body-count.ts'
import type { ObjectStore, PutOutcome } from '../objects/object-store.ts'
import type { Adaptive } from './adaptive.ts'
import type { Allowance } from './allowance.ts'
import { objectKey, objectMetadata } from './object-key.ts'

export interface PutDeps {
  readonly store: Pick<ObjectStore, 'put'>
  readonly allowance: Allowance
  readonly adaptive: Adaptive
  readonly observe: Observe
  /** What of a body goes to the wire from now on (objects/paced-agent.ts). */
  readonly countBody: ((body: Buffer) => BodyCount | undefined) | undefined
}

export interface Put {
  readonly entry: Entry
  readonly body: Buffer
  /** The first is 1. */
  readonly attempt: number
  /** `s3.key`. */
  readonly template: string
}

export interface PutEnd {
  readonly outcome: PutOutcome
  readonly object: { readonly key: string, readonly sha256: string }
  /** The store has all of the body, and nobody here reads it any more. */
  readonly isSpent: boolean
}

/** Sends one image once: tells of the beginning and the end, and what its time says about the line. */
export async function putEntry (
  { store, allowance, adaptive, observe, countBody }: PutDeps, { entry, body, attempt, template }: Put, cut: AbortSignal
): Promise<PutEnd> {
  const sha256 = entry.sha256 ?? await hash(body)
  const key = objectKey(template, entry)
  const startedAt = performance.now()
  const started = adaptive.begin(body.length, allowance.pacedBytesPerSecond)
  observe({ kind: 'put-started', entry, attempt, waitedSeconds: (Date.now() - entry.receivedAt) / 1000 })
  const { contentType, crc32, receivedAt } = entry
  const metadata = objectMetadata(entry, sha256)
  const count = countBody?.(body)
  const outcome = await store.put({ key, body, contentType, metadata, sha256, crc32, receivedAt }, cut)
  const seconds = (performance.now() - startedAt) / 1000
  if (outcome.kind === 'stored') adaptive.stored(started, allowance.bytesPerSecond, count?.heldSeconds)
  else if (outcome.kind === 'unavailable' && outcome.reason === 'timeout') adaptive.timedOut()
  allowance.lineBytesPerSecond = adaptive.bytesPerSecond
  const detail = outcome.kind === 'stored' ? '' : outcome.detail
  const ended = outcome.kind === 'unavailable' ? outcome.reason : outcome.kind
  observe({ kind: 'put-ended', entry, seconds, outcome: ended, detail, bodyBytesSent: count?.bytes })
  const isSpent = outcome.kind === 'stored' && (count?.bytes ?? 0) >= body.length
  return { outcome, object: { key, sha256 }, isSpent }
}

/** SHA-256 in hex, off this thread: a camera's image takes it 0.2 ms, and there are hundreds a second. */
async function hash (body: Buffer): Promise<string> {
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', body)).toString('hex')
}
