import { parseDeviceId, parseImageId, type DeviceId } from '../../broker/topics.ts'
import { Condition } from '../../bridge/condition.ts'
import type { Entry, Lane } from '../../bridge/entry.ts'
import type { QueueRange } from '../../bridge/spool/queue-rows.ts'
import { queuePrefix, Queues, type QueueClass, type QueueName, type QueueRow } from '../../bridge/spool/queues.ts'
import type { SpoolView } from '../../bridge/uplink/scheduler.ts'

interface Waiting extends QueueName {
  readonly entry: Entry
}

/** What a scheduler sees of a spool, in memory. Its rows are those of queues.test.ts, which asks the real one. */
export class FakeSpool implements SpoolView {
  readonly #condition = new Condition()
  readonly #queues = new Queues()
  readonly #waiting = new Map<number, Waiting>()
  readonly #entries = new Map<string, Map<number, Entry>>()
  #sequence = 0
  /** Rows that were read so far. */
  rowsRead = 0
  changes = 0

  readonly backlog = {
    takeGrown: () => this.#queues.takeGrown(),
    read: async (name: QueueName, range: QueueRange) => this.#read(name, range),
    entry: async (name: QueueName, sequence: number) => {
      const waiting = this.#waiting.get(sequence)
      return waiting !== undefined && isOf(name, waiting) ? waiting.entry : undefined
    },
    expect: () => {}
  }

  changed (seen: number, signal: AbortSignal, msMax?: number): Promise<void> {
    return this.#condition.until(() => this.changes !== seen, signal, msMax)
  }

  append (device: string, { bytes = 1000, lane }: { bytes?: number, lane?: Lane } = {}): Entry {
    const sequence = ++this.#sequence
    const deviceId = idOf(device)
    const imageId = parseImageId(`i${sequence}`)
    if (imageId === undefined) throw new Error('not an id')
    const entry: Entry = {
      sequence,
      deviceId,
      imageId,
      bytes,
      crc32: 0,
      sha256: undefined,
      contentType: 'image/jpeg',
      sourceTopic: '',
      capturedAt: undefined,
      receivedAt: sequence,
      meta: undefined,
      lane
    }
    this.put(entry, lane ?? 'normal')
    return entry
  }

  /** It waits, or waits again. */
  put (entry: Entry, one: QueueClass): void {
    this.remove(entry)
    const name = { class: one, deviceId: entry.deviceId }
    this.#waiting.set(entry.sequence, { ...name, entry })
    const key = queuePrefix(name)
    this.#entries.set(key, (this.#entries.get(key) ?? new Map<number, Entry>()).set(entry.sequence, entry))
    this.#queues.add(name, entry)
    this.changes++
    this.#condition.changed()
  }

  remove ({ sequence }: Entry): void {
    const waiting = this.#waiting.get(sequence)
    if (waiting === undefined) return
    this.#queues.remove(waiting, waiting.entry)
    this.#waiting.delete(sequence)
    this.#entries.get(queuePrefix(waiting))?.delete(sequence)
  }

  #read (name: QueueName, { after, before, limit, reverse = false }: QueueRange): QueueRow[] {
    const entries = [...this.#entries.get(queuePrefix(name))?.values() ?? []]
      .filter(({ sequence }) => sequence > after && sequence < before)
      .sort((a, b) => reverse ? b.sequence - a.sequence : a.sequence - b.sequence)
    const rows = entries.slice(0, limit).map(({ sequence, bytes }) => ({ sequence, bytes, segment: 1 }))
    this.rowsRead += rows.length
    return rows
  }
}

function isOf (name: QueueName, waiting: Waiting): boolean {
  return waiting.class === name.class && waiting.deviceId === name.deviceId
}

function idOf (device: string): DeviceId {
  const deviceId = parseDeviceId(device)
  if (deviceId === undefined) throw new Error(`not an id: ${device}`)
  return deviceId
}
