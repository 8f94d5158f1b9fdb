/** What moves, or may move, from a moment on. `Timetable.at` answers with one (uplink/timetable.ts). */
export interface Slot {
  /** 0: nothing. */
  readonly bytesPerSecond: number
  /** When it changes next, ms since epoch; undefined: never. */
  readonly until: number | undefined
}

/** At a moment in ms since epoch. `until` is later than that. */
export type PaceAt = (ms: number) => Slot

export function constantPace (bytesPerSecond: number): PaceAt {
  return () => ({ bytesPerSecond, until: undefined })
}

/** The same at another height. */
export function scaledPace (pace: PaceAt, factor: number): PaceAt {
  return (ms) => {
    const { bytesPerSecond, until } = pace(ms)
    return { bytesPerSecond: bytesPerSecond * factor, until }
  }
}

/** The same, asked once for each of its slots: what a timetable answers takes it a while. */
export function rememberedPace (pace: PaceAt): PaceAt {
  const slots: Array<Slot & { readonly from: number }> = []
  return (ms) => {
    const known = slots.findLast(({ from, until = Infinity }) => from <= ms && ms < until)
    if (known !== undefined) return known
    const slot = { ...pace(ms), from: ms }
    slots.push(slot)
    return slot
  }
}

/** Nothing until `end`, and then as it would be. */
export function pausedPace (pace: PaceAt, end: number): PaceAt {
  return (ms) => ms < end ? { bytesPerSecond: 0, until: end } : pace(ms)
}

const SLOTS_MAX = 10_000

/** Bytes per second on average over `seconds` from `from` on. */
export function meanPace (pace: PaceAt, from: number, seconds: number): number {
  const end = from + seconds * 1000
  let at = from
  let bytes = 0
  for (let slots = 0; at < end && slots < SLOTS_MAX; slots++) {
    const { bytesPerSecond, until = end } = pace(at)
    const next = Math.min(until, end)
    bytes += bytesPerSecond * (next - at) / 1000
    at = next
  }
  return bytes / seconds
}
