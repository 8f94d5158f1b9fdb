// What a start can already see coming, by the arithmetic of the forecast: from what the spool remembers, not from
// what the service has measured, because that is nothing yet.

import { formatImages, formatLine, formatPace, formatSpan } from './amounts.ts'
import { describeOtherStore, type FailedElsewhere } from './failed-elsewhere.ts'
import { fullAfter, WEEK_SECONDS } from './filling.ts'
import { ALL } from './http/image-query.ts'
import { listStates, type ImagePage } from './http/image-list.ts'
import type { HeldImages } from './http/deps.ts'
import { constantPace, meanPace, scaledPace, type PaceAt } from './plan/pace.ts'
import { GIVEN_OUT } from './plan/site.ts'
import type { Pace } from './rates.ts'

export interface AdviceDeps {
  readonly spool: HeldImages
  readonly failedElsewhere: FailedElsewhere
  readonly allowanceAt: PaceAt
}

/** Sentences for the log, none where nothing is known that an operator should act on. Rejects where the index does. */
export async function adviseAtStart (
  { spool, failedElsewhere, allowanceAt }: AdviceDeps, now: number = Date.now()
): Promise<readonly string[]> {
  const elsewhere = await failedElsewhere.look()
  const seen = await seenPace(spool)
  return [
    ...elsewhere === 0 ? [] : [describeOtherStore(elsewhere)],
    ...seen === undefined ? [] : warnOfFilling(spool, seen, { outAt: scaledPace(allowanceAt, GIVEN_OUT), now })
  ]
}

function warnOfFilling (
  spool: HeldImages, { images, pace }: SeenPace, { outAt, now }: { outAt: PaceAt, now: number }
): readonly string[] {
  const fullSeconds = fullAfter(spool.levels, { at: now, inAt: constantPace(pace.bytesPerSecond), outAt })
  if (fullSeconds === undefined || fullSeconds > WEEK_SECONDS) return []
  return [`the last ${formatImages(images)} came in at ${formatPace(pace.imagesPerSecond)} images/s ` +
    `(${formatLine(pace.bytesPerSecond)}), and ${formatLine(meanPace(outAt, now, WEEK_SECONDS))} may go out: at that pace ` +
    `the spool is full in about ${formatSpan(fullSeconds)}; "sluice plan" shows what would change that`]
}

interface SeenPace {
  readonly images: number
  readonly pace: Pace
}

const HOUR_MS = 3_600_000
/** Devices send in step, so that a shorter time would be taken for a burst of them or for a pause. */
const SEEN_MS_MIN = 60_000
const SEEN_IMAGES_MAX = 10_000
const PAGE = 500

/** Of the hour before the last image that was accepted; undefined where too little of it is remembered. */
export async function seenPace (spool: HeldImages): Promise<SeenPace | undefined> {
  let [images, bytes, after] = [0, 0, Number.MAX_SAFE_INTEGER]
  let [first, last] = [Infinity, -Infinity]
  while (images < SEEN_IMAGES_MAX) {
    const page: ImagePage = await listStates(spool, { ...ALL, limit: PAGE, after }, ['waiting', 'failed', 'uploaded'])
    for (const { entry } of page.held) {
      last = Math.max(last, entry.receivedAt)
      if (entry.receivedAt < last - HOUR_MS) break
      first = Math.min(first, entry.receivedAt)
      images++
      bytes += entry.bytes
    }
    const oldest = page.held.at(-1)?.entry.receivedAt ?? Infinity
    if (page.next === undefined || oldest < last - HOUR_MS) break
    after = page.next
  }
  const seconds = (last - first) / 1000
  if (last - first < SEEN_MS_MIN) return undefined
  return { images, pace: { imagesPerSecond: images / seconds, bytesPerSecond: bytes / seconds } }
}
