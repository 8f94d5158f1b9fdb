// What is kept of an hour: verdicts of the images that were accepted in it, and what went on in it.

import type { Held } from '../entry.ts'
import { addLatency, type Latencies } from './latencies.ts'

/** Each image gets one, at its deadline. */
export const VERDICTS = ['good', 'late', 'failed'] as const
export type SloVerdict = typeof VERDICTS[number]

/** What kept a late image at its deadline. */
export const CAUSES = ['store_away', 'paused', 'stopped', 'line'] as const
export type LateCause = typeof CAUSES[number]

/** Seconds of the hour: in which Sluice ran, took images, could not reach the store, was paused, and was behind. */
export const SPANS = ['running', 'accepting', 'storeAway', 'paused', 'behind'] as const
export type Span = typeof SPANS[number]

export type Counts<Key extends string> = Readonly<Record<Key, number>>

export interface Hour {
  /** Of the book; a line that was written twice has the same one. */
  readonly id: number
  /** ms since epoch. */
  readonly at: number
  readonly verdicts: Counts<SloVerdict>
  readonly causes: Counts<LateCause>
  readonly seconds: Counts<Span>
  /** Of what arrived, by the month of acceptance (`2026-11`): what arrives in this hour may be of an earlier one. */
  readonly latencies: Readonly<Record<string, Latencies>>
}

export const HOUR_MS = 3_600_000

export function emptyHour (id: number, at: number): Hour {
  return {
    id, at, verdicts: countsOf(VERDICTS), causes: countsOf(CAUSES), seconds: countsOf(SPANS), latencies: {}
  }
}

export function countsOf<Key extends string> (keys: readonly Key[]): Counts<Key> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<Key, number> // of these keys
}

export function addCount<Key extends string> (counts: Counts<Key>, key: Key, amount = 1): Counts<Key> {
  return { ...counts, [key]: counts[key] + amount }
}

export function sumCounts<Key extends string> (keys: readonly Key[], all: ReadonlyArray<Counts<Key>>): Counts<Key> {
  return Object.fromEntries(keys.map((key) =>
    [key, all.reduce((sum, counts) => sum + counts[key], 0)])) as Record<Key, number>
}

/** The beginning of the hour, UTC. */
export function hourOf (at: number): number {
  return Math.floor(at / HOUR_MS) * HOUR_MS
}

/** `2026-11`, UTC. */
export function monthOf (at: number): string {
  return new Date(at).toISOString().slice(0, 7)
}

/** The image arrived in this hour. */
export function addArrival (hour: Hour, receivedAt: number, seconds: number): Hour {
  const month = monthOf(receivedAt)
  return { ...hour, latencies: { ...hour.latencies, [month]: addLatency(hour.latencies[month] ?? {}, seconds) } }
}

/** What an image is that has reached its deadline, by where it is then and when it came there. */
export function judgeImage (held: Held, targetMs: number): SloVerdict {
  const { receivedAt } = held.entry
  switch (held.state) {
    case 'waiting': return 'late'
    case 'uploaded': return held.upload.uploadedAt - receivedAt <= targetMs ? 'good' : 'late'
    case 'failed': return held.failure.failedAt - receivedAt <= targetMs ? 'failed' : 'late'
    case 'dropped': return 'failed' // by an operator; it does not come any more
  }
}
