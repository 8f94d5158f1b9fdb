import { now } from '../devices/fleet.ts'
import type { StoreControl } from '../judge/store-control.ts'
import type { Uplink } from '../scenario/scenario.ts'
import type { Knobs } from '../scenario/schema.ts'
import { sleepUntil } from '../sleep-until.ts'

const HEALTHY: Knobs = { rate: Infinity, latency: 0, errors: 0, outage: false }

export interface LineDeps {
  readonly control: StoreControl
  /** Of the captures, ms since epoch. */
  readonly startedAt?: number
}

/** Turns the line to the store as the scenario says, from the start of the captures. An outage ends with the run. */
export async function runUplink (
  { rate, latency, errors, events }: Uplink, { control, startedAt = now() }: LineDeps, signal: AbortSignal
): Promise<void> {
  const base: Knobs = { rate, latency, errors, outage: false }
  const turns = events.flatMap(({ at, for: forMs, ...knobs }) => [
    { at, knobs },
    // Back to what holds outside of events.
    {
      at: at + forMs,
      knobs: Object.fromEntries(Object.keys(knobs).map((name) =>
        [name, base[name as keyof Knobs] ?? HEALTHY[name as keyof Knobs]])) as Knobs
    }
  ]).sort((a, b) => a.at - b.at)
  await control.set({ ...HEALTHY, ...defined(base) })
  try {
    for (const { at, knobs } of turns) {
      await sleepUntil(startedAt + at, now, signal)
      if (signal.aborted) return
      await control.set(knobs)
    }
  } finally {
    if (signal.aborted) await control.set({ outage: false })
  }
}

function defined (knobs: Knobs): Knobs {
  return Object.fromEntries(Object.entries(knobs).filter(([, value]) => value !== undefined))
}
