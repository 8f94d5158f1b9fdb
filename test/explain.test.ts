import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { tellLife } from '../bridge/cli/explain-story.ts'
import type { ExplainedImage } from '../bridge/http/images.ts'
import type { NextJson } from '../bridge/http/next.ts'
import { runSluice } from './helpers/command.ts'
import { startTestBridge, type TestBridge } from './helpers/bridge.ts'
import { eventually } from './helpers/eventually.ts'
import { jpegOf } from './helpers/jpeg.ts'
import { connectDevice } from './helpers/mqtt.ts'
import { makeTempDirectory } from './helpers/spool.ts'

const IMAGE = jpegOf(20_000)

const urlOf = ({ bridge }: TestBridge): string => `http://127.0.0.1:${bridge.http.port}`

async function publish (
  t: TestContext, site: TestBridge, device: string, id: string, image: Buffer = IMAGE
): Promise<void> {
  const client = await connectDevice(t, site.bridge.mqtt.port)
  await client.publishAsync(`devices/${device}/images/${id}`, image, { qos: 1 })
}

async function explained (site: TestBridge, name: string): Promise<ExplainedImage> {
  const response = await fetch(`${urlOf(site)}/api/v1/images/${name}`)
  assert.equal(response.status, 200, name)
  return await response.json() as ExplainedImage
}

/** `sluice explain` in this process. */
async function explain (
  site: TestBridge, ...args: string[]
): Promise<{ code: number, stdout: string, stderr: string }> {
  return await runSluice(['explain', ...args, '--url', urlOf(site)])
}

async function told (site: TestBridge, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await explain(site, ...args)
  assert.equal(code, 0, stderr)
  return stdout
}

const eventsOf = ({ life }: ExplainedImage): string[] => life.events.map(({ event }) => event)

async function lastEvent (site: TestBridge, name: string, event: string): Promise<ExplainedImage> {
  return await eventually(async () => {
    const image = await explained(site, name)
    return eventsOf(image).at(-1) === event ? image : undefined
  }, { timeoutMs: 30_000, what: `${name} to have ${event} as its last event` })
}

test('an image whose puts failed twice tells each attempt, then where it is, and what was told its device', async (t) => {
  const site = await startTestBridge(t)
  site.store.faults.refuseKeys(/one/, { status: 500, code: 'InternalError' })
  await publish(t, site, 'cam-1', 'one')
  const ended = (): number => site.events.filter(({ kind }) => kind === 'put-ended').length
  await eventually(() => ended() >= 2, { timeoutMs: 30_000 })
  await site.store.faults.clear()
  const image = await lastEvent(site, 'cam-1:one', 'note')
  const attempts = image.life.events.flatMap((one) => one.event === 'attempt' ? [one] : [])
  assert.equal(attempts.length, ended())
  assert.deepEqual(attempts.map(({ attempt }) => attempt), attempts.map((_, i) => i + 1))
  assert.deepEqual(attempts.map(({ outcome }) => outcome), attempts.map((_, i) => i + 1 < ended() ? 'server_error' : 'stored'))
  assert.ok(attempts.every(({ bodyBytesSent, seconds = 0 }) => bodyBytesSent === IMAGE.length && seconds > 0))
  const without = eventsOf(image).filter((event) => event !== 'attempt')
  assert.deepEqual(without, ['received', 'synced', 'acknowledged', 'uploaded', 'note'])
  assert.deepEqual([image.life.unknown, image.life.next], [undefined, { kind: 'stored' }])
  const story = await told(site, 'cam-1:one')
  assert.match(story, /^cam-1:one is uploaded \(image\/jpeg, 20 kB, lane normal\)\n/)
  assert.match(story, /Z {2}attempt 2 +server_error after .* 20 kB of its body sent: .*InternalError/)
  assert.match(story, new RegExp(`uploaded +as ${image.key} in images, ETag ${image.etag}, .* after it was received`))
  assert.match(story, /Nothing is left to do: the store has it\.$/)
})

test('an image that the store refused tells why, and what an operator can do', async (t) => {
  const site = await startTestBridge(t)
  site.store.faults.refuseKeys(/bad/, { status: 400, code: 'InvalidArgument' })
  await publish(t, site, 'cam-1', 'bad')
  const image = await lastEvent(site, 'cam-1:bad', 'note')
  assert.deepEqual(eventsOf(image), ['received', 'synced', 'acknowledged', 'attempt', 'failed', 'note'])
  assert.deepEqual(image.life.next, { kind: 'failed' })
  const story = await told(site, 'bad')
  assert.match(story, /refused after .*: .*InvalidArgument.*\n.*failed +set aside after 1 attempt \(store_refused\)\n/)
  assert.match(story, /note +"failed" to its device/)
  assert.match(story, /"sluice images retry cam-1:bad" sends it again/)
})

test('an image that waits under a pause tells who paused, until when, and what goes before it', async (t) => {
  const site = await startTestBridge(t)
  const reason = 'the line is needed'
  const body = JSON.stringify({ for: '30m', reason })
  const headers = { 'content-type': 'application/json' }
  assert.equal((await fetch(`${urlOf(site)}/api/v1/uplink/pause`, { method: 'POST', headers, body })).status, 200)
  await publish(t, site, 'cam-2', 'other')
  await publish(t, site, 'cam-1', 'first')
  await publish(t, site, 'cam-1', 'second')
  const { life: { next } } = await explained(site, 'cam-1:second')
  const { until, withinSeconds = 0, ...rest } = next as NextJson & { kind: 'waiting' }
  assert.deepEqual(rest, {
    kind: 'waiting',
    why: 'paused',
    by: 'operator',
    reason,
    lane: 'normal',
    behind: { count: 1, bytes: IMAGE.length },
    backlog: { count: 3, bytes: 3 * IMAGE.length }
  })
  assert.ok(withinSeconds > 1700 && withinSeconds < 1810, `${withinSeconds}`)
  assert.ok(Date.parse(until ?? '') > Date.now() + 1_700_000)
  const prioritizing = await fetch(`${urlOf(site)}/api/v1/images/cam-1:second/prioritize`, { method: 'POST' })
  assert.equal(prioritizing.status, 200)
  const story = await told(site, 'cam-1:second')
  assert.match(story, /lane normal, put before all by an operator\)\n/)
  assert.match(story, /prioritized +by an operator/)
  assert.match(story, /An operator paused uploads \(the line is needed\) until .*"sluice uplink resume" lets/)
  assert.match(story, /None of its own device goes before it; 3 images \(60 kB\) wait in all\./)
  assert.match(story, /It is likely up within 30 min\.$/)
})

test('while the store is away an image tells so, and when the store is asked again', async (t) => {
  const site = await startTestBridge(t)
  await site.store.faults.set({ outage: true })
  await publish(t, site, 'cam-1', 'one')
  const next = await eventually(async () => {
    const { life } = await explained(site, 'cam-1:one')
    return life.next.kind === 'waiting' && life.next.why === 'down' ? life.next : undefined
  })
  assert.equal(next.reason, 'connect')
  assert.ok(Date.parse(next.until ?? '') > 0)
  assert.equal(next.withinSeconds, undefined)
  assert.match(await told(site, 'cam-1:one'), /Nothing can be uploaded \(connect: .*\); the store is asked again at .*Z, .* Nothing else waits\.$/)
})

test('what is under way tells since when, and what comes after it waits for its turn and tells behind what', async (t) => {
  const site = await startTestBridge(t, { SLUICE_UPLINK_CONCURRENCY: '1' })
  await site.store.faults.set({ stall: true })
  await publish(t, site, 'cam-1', 'first')
  const first = await eventually(async () => {
    const { life } = await explained(site, 'cam-1:first')
    return life.next.kind === 'uploading' && life.next.attempt !== undefined ? life.next : undefined
  })
  assert.equal(first.attempt, 1)
  await publish(t, site, 'cam-1', 'second')
  assert.match(await told(site, 'cam-1:first'), /It is on its way to the store in attempt 1, since .*Z\.$/)
  const { life: { next } } = await explained(site, 'cam-1:second')
  const { withinSeconds = 0, ...rest } = next as NextJson & { kind: 'waiting' }
  const sums = { behind: { count: 1, bytes: IMAGE.length }, backlog: { count: 2, bytes: 2 * IMAGE.length } }
  assert.deepEqual(rest, { kind: 'waiting', why: 'turn', lane: 'normal', ...sums })
  assert.ok(withinSeconds > 0)
  assert.match(await told(site, 'cam-1:second'), /It waits for its turn in the lane normal\. 1 image \(20 kB\) of its own device goes/)
})

test('an image that failed while others were stored tells when it is sent again', async (t) => {
  const site = await startTestBridge(t, { SLUICE_UPLINK_CONCURRENCY: '1' })
  site.store.faults.refuseKeys(/odd/, { status: 500, code: 'InternalError' })
  await publish(t, site, 'cam-1', 'odd')
  const next = await eventually(async () => {
    await publish(t, site, 'cam-2', `good-${site.events.length}`)
    const { life } = await explained(site, 'cam-1:odd')
    return life.next.kind === 'waiting' && life.next.why === 'again' ? life.next : undefined
  }, { timeoutMs: 30_000 })
  assert.deepEqual([next.by, next.withinSeconds], ['store', undefined])
  const image = await explained(site, 'cam-1:odd')
  const story = tellLife({ ...image, life: { ...image.life, next } })
  assert.ok(story.includes(`It is sent again by itself at ${next.until}, or soon after.`), story)
})

test('a repeat is told with its time, its second acknowledgement and its note, and is stored once', async (t) => {
  const site = await startTestBridge(t)
  await publish(t, site, 'cam-1', 'one')
  await lastEvent(site, 'cam-1:one', 'note')
  await publish(t, site, 'cam-1', 'one')
  const image = await eventually(async () => {
    const now = await explained(site, 'cam-1:one')
    return eventsOf(now).filter((event) => event === 'acknowledged').length === 2 ? now : undefined
  })
  assert.deepEqual(eventsOf(image).slice(-3).sort(), ['acknowledged', 'note', 'repeat'])
  assert.deepEqual(eventsOf(image).filter((event) => event === 'attempt').length, 1)
  assert.match(await told(site, 'one'), /repeat +its device sent it again, .* later: known, and not stored twice/)
})

test('an image over HTTP is acknowledged once its 201 has been written', async (t) => {
  const site = await startTestBridge(t)
  const sent = await fetch(`${urlOf(site)}/api/v1/images?device=cam-1&id=one`,
    { method: 'POST', headers: { 'content-type': 'image/jpeg' }, body: new Uint8Array(IMAGE) })
  assert.equal(sent.status, 201)
  const { life } = await eventually(async () => {
    const now = await explained(site, 'cam-1:one')
    return eventsOf(now).includes('acknowledged') ? now : undefined
  })
  const acknowledged = life.events.find(({ event }) => event === 'acknowledged')
  assert.deepEqual(acknowledged, { event: 'acknowledged', by: 'http', at: acknowledged?.at })
})

test('after a restart the life is shorter and says what is not known any more', async (t) => {
  const dataDir = await makeTempDirectory(t)
  const before = await startTestBridge(t, {}, dataDir)
  before.store.faults.refuseKeys(/bad/, { status: 400, code: 'InvalidArgument' })
  await publish(t, before, 'cam-1', 'bad')
  await publish(t, before, 'cam-1', 'good')
  await lastEvent(before, 'cam-1:bad', 'note')
  await lastEvent(before, 'cam-1:good', 'note')
  await before.close()
  const site = await startTestBridge(t, {}, dataDir)
  const [bad, good] = [await explained(site, 'bad'), await explained(site, 'good')]
  assert.deepEqual([eventsOf(bad), eventsOf(good)], [['received', 'failed'], ['received', 'uploaded']])
  assert.equal(good.life.unknown?.why, 'restart')
  assert.ok(Date.parse(good.life.unknown?.since ?? '') > Date.parse(good.uploadedAt ?? ''))
  const story = await told(site, 'good')
  assert.match(story, /The service was started after it came, at .*Z: .*what was tried before, is not known/)
  assert.deepEqual(JSON.parse(await told(site, 'good', '--json')), good)
})

test('an image that was refused lately is 404 with the reason and the time, and one that never came says no more', async (t) => {
  const site = await startTestBridge(t)
  await publish(t, site, 'cam-1', 'text', Buffer.from('this is no image'))
  for (const name of ['text', 'cam-1:text']) {
    const { code, stderr } = await explain(site, name)
    assert.equal(code, 64)
    assert.match(stderr, /cam-1:text came at .*Z and was refused \(not_an_image\): /)
  }
  const response = await fetch(`${urlOf(site)}/api/v1/images/text`)
  const { seen } = await response.json() as { seen: Array<{ events: Array<{ event: string }> }> }
  assert.deepEqual([response.status, seen[0]?.events.map(({ event }) => event)], [404, ['refused', 'note']])
  const never = await explain(site, 'cam-1:never')
  assert.match(never.stderr, /it never came, or it left longer ago than intake\.dedupWindow/)
})

test('a name that several devices use is answered with the names that tell them apart', async (t) => {
  const site = await startTestBridge(t)
  await publish(t, site, 'cam-1', 'same')
  await publish(t, site, 'cam-2', 'same')
  await eventually(async () => (await site.status()).ledger.uploaded === 2)
  const { code, stderr } = await explain(site, 'same')
  assert.equal(code, 64)
  assert.match(stderr, /2 devices have an image of that name; name the device, too: cam-1:same, cam-2:same/)
})
