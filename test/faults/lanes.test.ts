import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BridgeEvent } from '../../bridge/events.ts'
import { startTestBridge } from '../helpers/bridge.ts'
import { eventually } from '../helpers/eventually.ts'
import { jpegOf } from '../helpers/jpeg.ts'
import { rounds } from './rounds.ts'

const BULK = rounds({ fast: 500, long: 10_000 })
const ALARMS = rounds({ fast: 8, long: 100 })
const BYTES = 20_000
/** 1.9 Mbit/s, less TCP: 11 images a second. All that waits would take from 40 s on. */
const LINE = { SLUICE_UPLINK_CAPACITY: '10Mbit', SLUICE_UPLINK_SHARE: '20%' }

test(`an alarm is in the store within 2 s at p99 while ${BULK} bulk images wait for a thin line`, async (t) => {
  const { bridge, events, status } = await startTestBridge(t, {
    ...LINE, SLUICE_UPLINK_LANE_RULES: 'alarm-*=alarm,cam-*=bulk'
  })
  const url = `http://127.0.0.1:${bridge.http.port}/api/v1/images`
  const send = async (device: string, id: number): Promise<void> => {
    const response = await fetch(`${url}?device=${device}&id=i${id}`, {
      method: 'POST', headers: { 'content-type': 'image/jpeg' }, body: new Uint8Array(jpegOf(BYTES))
    })
    assert.equal(response.status, 201)
  }
  for (let sent = 0; sent < BULK; sent += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, nth) => send(`cam-${nth}`, sent + nth)))
  }
  const seen = new Seen(events)
  for (let nth = 0; nth < ALARMS; nth++) {
    await send(`alarm-${nth % 3}`, nth)
    const before = seen.look().bulkUploaded
    await eventually(() => seen.look().bulkUploaded > before + 1, {
      what: 'the upload of bulk images', timeoutMs: 20_000, everyMs: 50
    })
  }
  await eventually(() => seen.look().alarmSeconds.length === ALARMS, { what: 'the upload of alarms', timeoutMs: 20_000 })
  const { alarmSeconds, overtaking } = seen
  const p99 = alarmSeconds.sort((a, b) => a - b)[Math.ceil(ALARMS * 0.99) - 1] ?? Infinity
  t.diagnostic(`p99 ${p99.toFixed(2)} s, median ${alarmSeconds[ALARMS >> 1]?.toFixed(2)} s, ` +
    `at most ${Math.max(...overtaking)} bulk images were begun before an alarm that was there`)
  assert.ok(Math.max(...overtaking) <= BULK / 20, `${Math.max(...overtaking)} bulk images were begun before an alarm`)
  assert.ok(p99 <= 2, `p99 ${p99} s`)
  assert.ok((await status()).ledger.waiting > BULK / 2, 'the backlog lasts')
})

/** What has become of images, read from the events once each. */
class Seen {
  bulkUploaded = 0
  /** Of each alarm that is in the store, from acceptance on. */
  readonly alarmSeconds: number[] = []
  /** Of each alarm, how many bulk images were begun while it waited. */
  readonly overtaking: number[] = []
  readonly #events: readonly BridgeEvent[]
  readonly #takenAt = new Map<number, number>()
  #bulkBegun = 0
  #read = 0

  constructor (events: readonly BridgeEvent[]) {
    this.#events = events
  }

  look (): this {
    for (; this.#read < this.#events.length; this.#read++) this.#see(this.#events[this.#read])
    return this
  }

  #see (event: BridgeEvent | undefined): void {
    if (event?.kind === 'image-taken') this.#takenAt.set(event.entry.sequence, this.#bulkBegun)
    if (event?.kind === 'put-started') {
      const { lane, sequence } = event.entry
      if (lane === 'bulk') this.#bulkBegun++
      else this.overtaking.push(this.#bulkBegun - (this.#takenAt.get(sequence) ?? 0))
    }
    if (event?.kind !== 'entry-uploaded') return
    if (event.entry.lane === 'bulk') this.bulkUploaded++
    else this.alarmSeconds.push(event.seconds)
  }
}
