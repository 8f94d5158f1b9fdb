import { setTimeout as sleep } from 'node:timers/promises'
import { Bucket, type StoreAccess } from './bucket.ts'

/** A look at a bucket costs a request for each 1,000 objects, so a long one is followed by a longer rest. */
const REST_MS_MIN = 1000
const REST_LOOKS = 10

export interface Following {
  /** How many objects are new since `startedAt`, as of the latest look; undefined before the first. */
  stored (): number | undefined
  readonly ended: Promise<void>
}

/** Counts what arrives in a bucket while a run lasts. What cannot be listed now is listed at the next look. */
export function followStore (access: StoreAccess, startedAt: number, signal: AbortSignal): Following {
  let stored: number | undefined
  const look = async (bucket: Bucket): Promise<number> => {
    let count = 0
    for await (const { modifiedAt } of bucket.list(signal)) if (modifiedAt >= startedAt - 1000) count++
    return count
  }
  const follow = async (): Promise<void> => {
    const bucket = new Bucket(access)
    while (!signal.aborted) {
      const lookedAt = performance.now()
      stored = await look(bucket).catch(() => stored)
      const restMs = Math.max(REST_MS_MIN, REST_LOOKS * (performance.now() - lookedAt))
      await sleep(restMs, undefined, { signal }).catch(() => {}) // aborted: the loop ends
    }
    bucket.close()
  }
  return { stored: () => stored, ended: follow() }
}
