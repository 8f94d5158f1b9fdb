// How a backlog goes on under two paces that change by steps: straight lines, one after the other.

import { constantPace, type PaceAt } from './pace.ts'

export interface Start {
  /** ms since epoch. */
  readonly at: number
  readonly backlogBytes: number
  readonly inAt: PaceAt
  readonly outAt: PaceAt
}

/** A time in which neither pace changes, and the backlog does not come to its end before the stretch does. */
export interface Stretch {
  readonly at: number
  /** Since the start. */
  readonly afterSeconds: number
  /** Infinity where nothing changes any more. */
  readonly seconds: number
  readonly inBytesPerSecond: number
  readonly outBytesPerSecond: number
  readonly before: number
  readonly after: number
}

const STRETCHES_MAX = 10_000
/** Nobody acts on what is further away, and a week's timetable has come round eight times by then. */
const HORIZON_SECONDS = 60 * 86_400

export function * course ({ at: from, backlogBytes, inAt, outAt }: Start): Generator<Stretch, undefined> {
  let [at, afterSeconds, before] = [from, 0, backlogBytes]
  for (let stretches = 0; stretches < STRETCHES_MAX && afterSeconds <= HORIZON_SECONDS; stretches++) {
    const [coming, going] = [inAt(at), outAt(at)]
    const until = Math.min(coming.until ?? Infinity, going.until ?? Infinity)
    const net = coming.bytesPerSecond - going.bytesPerSecond
    const changeSeconds = (until - at) / 1000
    const emptySeconds = net < 0 && before > 0 ? before / -net : Infinity
    const seconds = Math.min(changeSeconds, emptySeconds)
    const stays = net === 0 || (net < 0 && before === 0)
    const after = emptySeconds < Infinity && emptySeconds <= changeSeconds ? 0 : stays ? before : before + net * seconds
    const paces = { inBytesPerSecond: coming.bytesPerSecond, outBytesPerSecond: going.bytesPerSecond }
    yield { at, afterSeconds, seconds, ...paces, before, after }
    if (seconds === Infinity) return
    at = seconds === changeSeconds ? until : at + seconds * 1000
    afterSeconds += seconds
    before = after
  }
}

/** Seconds until nothing waits; undefined where that never comes, or is not to be foreseen. */
export function emptyAfter (start: Start): number | undefined {
  if (start.backlogBytes <= 0) return 0
  for (const { after, afterSeconds, seconds } of course(start)) {
    if (after <= 0) return afterSeconds + seconds
  }
  return undefined
}

/** Seconds until so many bytes wait; undefined as above. */
export function reachedAfter (start: Start, bytes: number): number | undefined {
  for (const { before, after, afterSeconds, inBytesPerSecond, outBytesPerSecond } of course(start)) {
    if (before >= bytes) return afterSeconds
    if (after >= bytes) return afterSeconds + (bytes - before) / (inBytesPerSecond - outBytesPerSecond)
  }
  return undefined
}

/** Seconds in which so many bytes leave; undefined as above. */
export function sentAfter (bytes: number, at: number, outAt: PaceAt): number | undefined {
  return emptyAfter({ at, backlogBytes: bytes, inAt: constantPace(0), outAt })
}
