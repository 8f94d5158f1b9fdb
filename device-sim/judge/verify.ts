// The judge of "nothing lost". It knows no key layout: it reads every object that can belong to the
// run and looks for the SHA-256 of what was sent.

import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Bucket, type StoreAccess } from './bucket.ts'
import { SimulatorError } from '../errors.ts'
import { Inspection, type Verdict } from './inspection.ts'
import { judge, listWanted, type Wanted } from './judgement.ts'
import type { Evidence } from '../report/report.ts'
import type { S3Trouble } from './store-probe.ts'

export interface VerifyOptions {
  /** How long acknowledged images may take to arrive. */
  readonly timeoutMs: number
  /** At least this long between two looks at the bucket. */
  readonly pollMs: number
  /** Objects read at one time. */
  readonly concurrency: number
  /** Called after each look. */
  readonly progress: (found: number, acknowledged: number) => void
}

const REST_POLLS_MAX = 10

const DEFAULTS: VerifyOptions = { timeoutMs: 300_000, pollMs: 1000, concurrency: 8, progress: () => {} }

/**
 * Waits until every acknowledged image is in the bucket and every object was read, or the time is up, then says
 * what is lost, duplicated, corrupted and unexpected. Looks once more after the last image has arrived, because a
 * duplicate comes behind its original. Each object is read once, as a stream, however often the bucket is listed.
 * Throws a SimulatorError where the bucket cannot be listed: then nothing is known.
 */
export async function verify (
  evidence: Evidence, store: StoreAccess, chosen: Partial<VerifyOptions> = {},
  signal: AbortSignal = new AbortController().signal
): Promise<Verdict> {
  const { timeoutMs, pollMs, concurrency, progress } = { ...DEFAULTS, ...chosen }
  setMaxListeners(0, signal) // every request listens until its connection is free again
  const bucket = new Bucket(store)
  const wanted = listWanted(evidence)
  const inspection = new Inspection(evidence, wanted)
  const startedAt = performance.now()
  try {
    for (let wasComplete = false; ;) {
      const lookedAt = performance.now()
      const trouble = await look({ bucket, inspection, wanted }, concurrency, signal)
      signal.throwIfAborted()
      const now = performance.now()
      const isLate = now - startedAt >= timeoutMs
      if (trouble !== undefined && (isLate || isForGood(trouble))) throw notListed(store, trouble)
      const { found, acknowledged, unread } = inspection
      progress(found, acknowledged)
      const isComplete = trouble === undefined && found === acknowledged && unread === 0
      if (isLate || (isComplete && wasComplete)) return inspection.verdict((now - startedAt) / 1000)
      wasComplete = isComplete
      // A long look is followed by a longer rest: the store has other work.
      const restMs = Math.min(Math.max(pollMs, now - lookedAt), REST_POLLS_MAX * pollMs)
      await sleep(restMs, undefined, { signal })
    }
  } finally {
    bucket.close()
  }
}

interface LookDeps {
  readonly bucket: Bucket
  readonly inspection: Inspection
  readonly wanted: Wanted
}

// One look at the whole bucket; gives the error that ended it early.
async function look (
  { bucket, inspection, wanted }: LookDeps, concurrency: number, signal: AbortSignal
): Promise<unknown> {
  const objects = bucket.list(signal)
  inspection.begin()
  const work = async (): Promise<void> => {
    for (;;) {
      const { done, value: object } = await objects.next()
      if (done === true) return
      if (inspection.isKnown(object)) continue
      try {
        inspection.note(object, await judge(bucket, object, { wanted, signal }))
      } catch (cause) {
        inspection.noteUnread(object, cause) // it is read at the next look
      }
    }
  }
  const workers = await Promise.allSettled(Array.from({ length: concurrency }, work))
  const failed = workers.find((worker) => worker.status === 'rejected')
  if (failed === undefined) inspection.end()
  return failed?.reason
}

// A wrong name or credential does not become right by waiting; of the 4xx only these two may.
function isForGood (cause: unknown): boolean {
  const { name, $metadata } = cause as S3Trouble
  const code = $metadata?.httpStatusCode ?? 0
  return name === 'CredentialsProviderError' || (code >= 400 && code < 500 && code !== 408 && code !== 429)
}

function notListed ({ endpoint, bucket }: StoreAccess, cause: unknown): SimulatorError {
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
  return new SimulatorError('UNAVAILABLE',
    `the bucket ${bucket} at ${endpoint ?? 'AWS'} cannot be listed (${reason}), ` +
    'so nothing can be said of the images; check --s3-endpoint, --s3-bucket and the credentials')
}
