// What waits, by lane and device: a row for each waiting entry, written and removed in the batch that writes and
// removes its row below w, so that the next image of a device is one seek away however many wait.
//
//   q<class><deviceId>/<sequence>   <bytes> <segment>
//
// <class> is p for what an operator has prioritized, else a, n or b for the lane. These rows say nothing that those
// below w do not: where the two differ, as in an index of an earlier version, they are made again (queue-rows.ts).

import type { DeviceId } from '../../broker/topics.ts'
import { LANES, type Entry, type Lane } from '../entry.ts'
import type { Sum } from './accounts.ts'
import type { Located } from './index-rows.ts'
import type { Row } from './journal.ts'
import { formatSequence, parseSequence } from './segment.ts'

/** What goes before every lane because an operator said so, and the lanes. */
export type QueueClass = 'prioritized' | Lane
export const QUEUE_CLASSES: readonly QueueClass[] = ['prioritized', ...LANES]

export interface QueueName {
  readonly class: QueueClass
  readonly deviceId: DeviceId
}

/** One waiting entry as its queue shows it. */
export interface QueueRow {
  readonly sequence: number
  readonly bytes: number
  /** Where its payload was when the row was written. */
  readonly segment: number
}

/** A queue to which entries were added, and the lowest and the highest sequence of them. */
export interface Growth extends QueueName {
  readonly from: number
  readonly to: number
}

const LETTERS: { readonly [one in QueueClass]: string } = { prioritized: 'p', alarm: 'a', normal: 'n', bulk: 'b' }

export function queueOf (located: Located): QueueName {
  const { entry: { lane, deviceId } } = located
  const isPrioritized = located.state === 'waiting' && located.prioritized === true
  return { class: isPrioritized ? 'prioritized' : lane ?? 'normal', deviceId }
}

/** The row of an entry that waits; for any other state none. */
export function queueRow (located: Located): Row[] {
  if (located.state !== 'waiting') return []
  return [{ key: queueKey(queueOf(located), located.entry.sequence), value: `${located.entry.bytes} ${located.segment}` }]
}

export function queueKey (name: QueueName, sequence: number): string {
  return queuePrefix(name) + formatSequence(sequence)
}

export function queuePrefix ({ class: one, deviceId }: QueueName): string {
  return `q${LETTERS[one]}${deviceId}/`
}

export function parseQueueRow (key: string, value: string): QueueName & QueueRow | undefined {
  const [, letter, device, sequence = ''] = /^q([panb])([^/]+)\/([0-9a-f]{14})$/.exec(key) ?? []
  const found = QUEUE_CLASSES.find((one) => LETTERS[one] === letter)
  const [bytes, segment] = value.split(' ').map(Number)
  if (found === undefined || !Number.isFinite(bytes) || !Number.isFinite(segment)) return undefined
  const deviceId = device as DeviceId // written below one
  return { class: found, deviceId, sequence: parseSequence(sequence), bytes: bytes ?? 0, segment: segment ?? 0 }
}

interface Tally {
  count: number
  bytes: number
  /** Of the sequences, modulo 2^52: two sets of rows with one sum are one set. */
  sum: number
  /** No entry of the queue has a lower sequence; one that has it may have left. */
  first: number
}

/** The queues that are not empty. Grows with the devices that have a backlog, never with what waits. */
export class Queues {
  readonly #tallies = new Map<QueueClass, Map<DeviceId, Tally>>(QUEUE_CLASSES.map((one) => [one, new Map()]))
  readonly #sums = new Map<QueueClass, Sum>()
  #grown = new Map<string, Growth>()

  add (name: QueueName, { sequence, bytes }: Pick<QueueRow, 'sequence' | 'bytes'>): void {
    const { tallies, tally = { count: 0, bytes: 0, sum: 0, first: sequence } } = this.#find(name)
    tallies.set(name.deviceId, tally)
    this.#count(name.class, tally, { count: 1, bytes, sequence })
    tally.first = Math.min(tally.first, sequence)
    const key = queuePrefix(name)
    const { from = sequence, to = sequence } = this.#grown.get(key) ?? {}
    this.#grown.set(key, { ...name, from: Math.min(from, sequence), to: Math.max(to, sequence) })
  }

  remove (name: QueueName, { sequence, bytes }: Pick<QueueRow, 'sequence' | 'bytes'>): void {
    const { tallies, tally } = this.#find(name)
    if (tally === undefined) return
    this.#count(name.class, tally, { count: -1, bytes: -bytes, sequence: MODULUS - sequence })
    if (tally.first === sequence) tally.first++
    if (tally.count <= 0) tallies.delete(name.deviceId)
  }

  /** Those that have grown since the last call; at first all of them. */
  takeGrown (): Growth[] {
    const grown = [...this.#grown.values()]
    this.#grown = new Map()
    return grown
  }

  /** Those with something in it. */
  devices (one: QueueClass): number { return this.#tallies.get(one)?.size ?? 0 }

  sum (one: QueueClass): Sum { return this.#sums.get(one) ?? { count: 0, bytes: 0 } }

  /** The queue of the class whose oldest entry may be the oldest of all, and a bound below that. */
  oldest (one: QueueClass): (QueueName & { readonly first: number }) | undefined {
    let oldest: (QueueName & { readonly first: number }) | undefined
    for (const [deviceId, { first }] of this.#tallies.get(one) ?? []) {
      if (oldest === undefined || first < oldest.first) oldest = { class: one, deviceId, first }
    }
    return oldest
  }

  /** What was found at the beginning of a queue that `oldest` has named. */
  passed (oldest: QueueName & { readonly first: number }, first: number): void {
    const { tally } = this.#find(oldest)
    if (tally?.first === oldest.first) tally.first = first // else an older one has come back meanwhile
  }

  /** True where both hold the same entries. */
  equals (other: Queues): boolean {
    return QUEUE_CLASSES.every((one) => {
      const [mine, theirs] = [this.#tallies.get(one), other.#tallies.get(one)]
      return mine?.size === theirs?.size && [...mine ?? []].every(([deviceId, { count, bytes, sum }]) => {
        const tally = theirs?.get(deviceId)
        return tally?.count === count && tally.bytes === bytes && tally.sum === sum
      })
    })
  }

  #find (name: QueueName): { tallies: Map<DeviceId, Tally>, tally: Tally | undefined } {
    const tallies = this.#tallies.get(name.class) ?? new Map<DeviceId, Tally>() // it has every class
    return { tallies, tally: tallies.get(name.deviceId) }
  }

  #count (one: QueueClass, tally: Tally, { count, bytes, sequence }: Sum & Pick<Entry, 'sequence'>): void {
    tally.count += count
    tally.bytes += bytes
    tally.sum = (tally.sum + sequence) % MODULUS
    const sum = this.sum(one)
    this.#sums.set(one, { count: sum.count + count, bytes: sum.bytes + bytes })
  }
}

const MODULUS = 2 ** 52
