import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Failure } from '../bridge/entry.ts'
import type { BridgeEvent } from '../bridge/events.ts'
import type {
  ObjectStore, ProbeOutcome, PutOutcome, StoreObject, UnavailableReason
} from '../bridge/objects/object-store.ts'
import type { Spool } from '../bridge/spool/spool.ts'
import { Allowance } from '../bridge/uplink/allowance.ts'
import { Uplink } from '../bridge/uplink/uplink.ts'
import { eventually } from './helpers/eventually.ts'
import { jpegOf } from './helpers/jpeg.ts'
import { arrivalOf, openTestSpool } from './helpers/spool.ts'

type Answer = 'stored' | 'unavailable' | 'refused'

/** A store that answers by script; the real one is held to its contract in s3-store.test.ts. */
class ScriptedStore implements ObjectStore {
  readonly place = 'nowhere'
  readonly bucket = 'images'
  readonly puts: string[] = []
  probes = 0
  answer: (object: StoreObject, nth: number) => Answer | Promise<Answer> = () => 'stored'
  reason: UnavailableReason = 'server_error'
  probeAnswer: ProbeOutcome = { kind: 'available' }

  async put (object: StoreObject): Promise<PutOutcome> {
    this.puts.push(object.metadata['image-id'] ?? '')
    const kind = await this.answer(object, this.puts.length)
    switch (kind) {
      case 'stored': return { kind, etag: 'e' }
      case 'unavailable': return { kind, reason: this.reason, detail: 'it is not well' }
      case 'refused': return { kind, reason: 'too_large', detail: 'it is too large' }
    }
  }

  async probe (): Promise<ProbeOutcome> { this.probes++; return this.probeAnswer }
  async get (): Promise<undefined> { return undefined }
  close (): void {}
}

async function startUplink (t: TestContext, { concurrency = 4 } = {}): Promise<{
  spool: Spool, store: ScriptedStore, uplink: Uplink, events: BridgeEvent[], stop: AbortController
}> {
  const { spool, events } = await openTestSpool(t)
  const store = new ScriptedStore()
  const allowance = new Allowance(1e9)
  const observe = (event: BridgeEvent): void => { events.push(event) }
  const key = 'images/{deviceId}/{imageId}.{ext}'
  const uplink = new Uplink({ spool, store, allowance, observe }, { key, concurrency, retryShare: 0.1 })
  const stop = new AbortController()
  const running = uplink.run(stop.signal, stop.signal)
  t.after(async () => { stop.abort(); await running; allowance.close() })
  return { spool, store, uplink, events, stop }
}

async function append (spool: Spool, ...names: string[]): Promise<void> {
  for (const name of names) {
    const payload = jpegOf(2000)
    await spool.append(arrivalOf('cam-1', name, payload), payload)
  }
}

test('the oldest goes first, and what is stored leaves the spool', async (t) => {
  const { spool, store } = await startUplink(t, { concurrency: 1 })
  await append(spool, 'a', 'b', 'c', 'd')
  await eventually(() => spool.ledger.uploaded === 4)
  assert.deepEqual(store.puts, ['a', 'b', 'c', 'd'])
})

test('no more puts are under way than the concurrency allows', async (t) => {
  const { spool, store, uplink } = await startUplink(t, { concurrency: 3 })
  let most = 0
  store.answer = async (): Promise<Answer> => {
    most = Math.max(most, uplink.levels.uploading.size)
    await new Promise((resolve) => setTimeout(resolve, 300)) // long enough for the line to look idle
    return 'stored'
  }
  await append(spool, ...Array.from({ length: 12 }, (_, i) => `n${i}`))
  await eventually(() => spool.ledger.uploaded === 12)
  assert.equal(most, 3)
})

test('what the store refuses is set aside with its reason, and those behind it are stored', async (t) => {
  const { spool, store, events } = await startUplink(t)
  store.answer = ({ metadata }) => metadata['image-id'] === 'bad' ? 'refused' : 'stored'
  await append(spool, 'bad', 'a', 'b')
  await eventually(() => spool.ledger.uploaded === 2 && spool.ledger.failed === 1)
  const failed = await eventually(() => events.find((event) => event.kind === 'entry-failed'))
  assert.deepEqual([failed.entry.imageId, failed.failure.reason, failed.failure.attempts], ['bad', 'too_large', 1])
})

test('while the store is down one small probe at a time is sent, not images, and all are stored after', async (t) => {
  const { spool, store, uplink, events } = await startUplink(t)
  store.answer = () => 'unavailable'
  store.probeAnswer = { kind: 'unavailable', reason: 'connect', detail: 'nobody there' }
  await append(spool, ...Array.from({ length: 20 }, (_, i) => `n${i}`))
  await eventually(() => store.probes >= 2)
  assert.ok(store.puts.length <= 4, `${store.puts.length} puts`)
  assert.equal(uplink.levels.state.kind, 'down')
  store.answer = () => 'stored'
  store.probeAnswer = { kind: 'available' }
  await eventually(() => spool.ledger.uploaded === 20, { timeoutMs: 10_000 })
  assert.equal(uplink.levels.state.kind, 'up')
  assert.ok(events.some(({ kind }) => kind === 'uplink-up'))
})

test('an image that the store never manages is set aside, while the others go past it and hardly wait', async (t) => {
  t.mock.method(Math, 'random', () => -0.98) // pauses of a fiftieth
  const { spool, store, events } = await startUplink(t)
  store.answer = ({ metadata }) => metadata['image-id'] === 'poison' ? 'unavailable' : 'stored'
  await append(spool, 'poison', ...Array.from({ length: 30 }, (_, i) => `n${i}`))
  await eventually(() => spool.ledger.uploaded === 30 && spool.ledger.failed === 1, { timeoutMs: 20_000 })
  const held = await eventually(async () => { // a row is counted a moment before it can be listed
    const [first] = (await spool.list({ state: 'failed', limit: 1 })).held
    return first?.state === 'failed' ? first : undefined
  })
  assert.deepEqual([held.entry.imageId, held.failure.reason], ['poison', 'store_server_error'])
  const downs = events.filter(({ kind }) => kind === 'uplink-down').length
  assert.ok(downs <= 3, `the uplink was down ${downs} times for the sake of one image`)
})

test('an image that is throttled however often is not set aside, for that is not its fault', async (t) => {
  t.mock.method(Math, 'random', () => 0)
  const { spool, store } = await startUplink(t)
  store.reason = 'throttled'
  let throttled = 0
  store.answer = ({ metadata }) => metadata['image-id'] === 'unlucky' && throttled++ < 9 ? 'unavailable' : 'stored'
  await append(spool, 'unlucky', ...Array.from({ length: 30 }, (_, i) => `n${i}`))
  await eventually(() => spool.ledger.uploaded === 31, { timeoutMs: 30_000 })
  assert.deepEqual([throttled, spool.ledger.failed], [10, 0])
})

test('an image that is retried by an operator goes again', async (t) => {
  const { spool, store } = await startUplink(t)
  store.answer = (_object, nth) => nth === 1 ? 'refused' : 'stored'
  await append(spool, 'a')
  await eventually(() => spool.ledger.failed === 1)
  await append(spool, 'b')
  const [held] = (await spool.list({ state: 'failed', limit: 1 })).held
  assert.ok(held !== undefined)
  await spool.retry(held.entry)
  await eventually(() => spool.ledger.uploaded === 2)
})

test('stopping lets what is under way end and begins nothing new', async (t) => {
  const { spool, store, stop } = await startUplink(t, { concurrency: 2 })
  await append(spool, 'first') // puts are opened one by one
  await eventually(() => spool.ledger.uploaded === 1)
  const finish: Array<() => void> = []
  store.answer = () => new Promise((resolve) => { finish.push(() => { resolve('stored') }) })
  await append(spool, 'a', 'b', 'c')
  await eventually(() => store.puts.length === 3)
  stop.abort()
  for (const end of finish) end()
  await eventually(() => spool.ledger.uploaded === 3)
  assert.deepEqual(store.puts, ['first', 'a', 'b'])
})

test('what fails keeps its first error beside its last, and counts the attempt that was refused', async (t) => {
  const { spool, store } = await startUplink(t)
  store.answer = (_, nth) => nth === 1 ? 'unavailable' : 'refused'
  await append(spool, 'a')
  const failures = async (count: number): Promise<readonly Failure[] | undefined> => {
    const { held } = await spool.list({ state: 'failed', limit: count })
    return held.length < count ? undefined : held.flatMap((one) => one.state === 'failed' ? one.failure : [])
  }
  const [failed] = await eventually(() => failures(1))
  const { reason, attempts, first, failedAt = 0 } = failed ?? {}
  assert.deepEqual([reason, attempts, first?.reason, first?.detail], ['too_large', 2, 'server_error', 'it is not well'])
  assert.ok((first?.failedAt ?? Infinity) < failedAt)
  store.answer = () => 'refused'
  await append(spool, 'b')
  const [once] = await eventually(() => failures(2))
  assert.deepEqual([once?.attempts, once?.first], [1, undefined])
})
