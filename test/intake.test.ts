import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { parseDeviceId, parseImageId, type DeviceId } from '../broker/topics.ts'
import type { Entry } from '../bridge/entry.ts'
import type { BridgeEvent } from '../bridge/events.ts'
import { createIntake, type Intake, type IntakeOptions } from '../bridge/intake/intake.ts'
import type { Offer } from '../bridge/intake/candidate.ts'
import { RefusedSamples } from '../bridge/intake/refused-samples.ts'
import type { SpoolOptions } from '../bridge/spool/open-parts.ts'
import { Spool } from '../bridge/spool/spool.ts'
import { eventually } from './helpers/eventually.ts'
import { jpegOf } from './helpers/jpeg.ts'
import { makeTempDirectory, openTestSpool, spoolOptions } from './helpers/spool.ts'

const options: IntakeOptions = {
  imageTypes: ['image/jpeg', 'image/png'], imageKey: 'image', dedupWindowMs: 3_600_000, withholdMs: 300
}
const deviceId = parseDeviceId('cam-1') as DeviceId

async function openIntake (
  t: TestContext, spoolChanges: Partial<SpoolOptions> = {}, intakeChanges: Partial<IntakeOptions> = {}
): Promise<{ intake: Intake, spool: Spool, events: BridgeEvent[], samples: string }> {
  const { spool, directory, events } = await openTestSpool(t, spoolChanges)
  return { ...start(spool, directory, events, intakeChanges), spool, events }
}

function start (
  spool: Spool, directory: string, events: BridgeEvent[], changes: Partial<IntakeOptions> = {}
): { intake: Intake, samples: string } {
  const samples = join(directory, 'refused')
  const deps = { spool, samples: new RefusedSamples(samples), observe: (event: BridgeEvent) => { events.push(event) } }
  return { intake: createIntake(deps, { ...options, ...changes }), samples }
}

function offer (payload: Buffer, imageId?: string): Offer {
  return { deviceId, imageId: imageId === undefined ? undefined : parseImageId(imageId), topic: 'devices/cam-1/images', payload }
}

function envelope (fields: Readonly<Record<string, unknown>>): Offer {
  return offer(Buffer.from(JSON.stringify(fields)))
}

test('raw bytes without an id are named by the first 128 bits of their SHA-256', async (t) => {
  const { intake, spool } = await openIntake(t)
  const image = jpegOf(5000)
  const outcome = await intake.take(offer(image))
  assert.ok(outcome.kind === 'taken')
  assert.equal(outcome.entry.imageId, createHash('sha256').update(image).digest('hex').slice(0, 32))
  assert.equal(outcome.entry.contentType, 'image/jpeg')
  assert.deepEqual(await spool.payload(outcome.entry), image)
})

test('an envelope gives the image, its name, its time and its meta', async (t) => {
  const { intake, spool } = await openIntake(t)
  const image = jpegOf(5000)
  const outcome = await intake.take(envelope({
    image: image.toString('base64'), id: 'shot-7.jpg', capturedAt: '2026-11-22T02:00:00Z', seq: 7, meta: { Zone: 'gate', hot: true }
  }))
  assert.ok(outcome.kind === 'taken')
  const { entry } = outcome
  assert.equal(entry.imageId, 'shot-7')
  assert.equal(entry.capturedAt, Date.parse('2026-11-22T02:00:00Z'))
  assert.deepEqual(entry.meta, { zone: 'gate', hot: 'true', seq: '7' })
  assert.deepEqual(await spool.payload(entry), image)
})

const image = jpegOf(3000).toString('base64')
const faults: ReadonlyArray<readonly [string, Offer, string]> = [
  ['no bytes', offer(Buffer.alloc(0)), 'empty'],
  ['text', offer(Buffer.from('hello')), 'not_an_image'],
  ['a type that is not taken', offer(Buffer.from('GIF89a' + 'x'.repeat(50))), 'not_an_image'],
  ['broken JSON', offer(Buffer.from('{"image": ')), 'bad_json'],
  ['a JSON envelope without an image', envelope({ picture: image }), 'missing_image'],
  ['an image that is not base64', envelope({ image: '%%%' }), 'bad_base64'],
  ['an id outside the alphabet', envelope({ image, id: '../../etc/passwd' }), 'bad_id'],
  ['an id of dots', envelope({ image, id: '..' }), 'bad_id'],
  ['another id than the topic', { ...envelope({ image, id: 'a' }), imageId: parseImageId('b') }, 'id_mismatch'],
  ['another device than the topic', envelope({ image, device: 'cam-2' }), 'id_mismatch'],
  ['a digest that does not fit', envelope({ image, sha256: '0'.repeat(64) }), 'checksum_mismatch'],
  ['too much meta', envelope({ image, meta: { a: 'x'.repeat(3000) } }), 'bad_meta'],
  ['a time nobody can read', envelope({ image, capturedAt: 'yesterday' }), 'bad_meta']
]

for (const [what, offered, reason] of faults) {
  test(`${what} is refused for good as ${reason}, and counted`, async (t) => {
    const { intake, spool, events } = await openIntake(t)
    const outcome = await intake.take(offered)
    assert.equal(outcome.kind === 'refused' && outcome.reason, reason)
    assert.ok(events.some((event) => event.kind === 'image-refused' && event.reason === reason))
    assert.equal(spool.ledger.acknowledged, 0)
  })
}

test('a sample of what was refused is kept for a person to look at', async (t) => {
  const { intake, samples } = await openIntake(t)
  await intake.take(offer(Buffer.from('hello')))
  const names = await eventually(async () => {
    const names = await readdir(samples).catch(() => [])
    return names.length > 0 ? names : undefined
  })
  assert.match(names[0] ?? '', /-cam-1-not_an_image\.bin$/)
})

test('a repeat is taken once, however often and however much at once it comes', async (t) => {
  const { intake, spool } = await openIntake(t)
  const image = jpegOf(5000)
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => intake.take(offer(image, 'a'))))
  assert.deepEqual(outcomes.map(({ kind }) => kind).sort(), [...Array<string>(19).fill('duplicate'), 'taken'])
  assert.equal((await intake.take(offer(image, 'a'))).kind, 'duplicate')
  assert.equal(spool.ledger.acknowledged, 1)
})

test('the same id with other bytes is refused, even where the CRC-32 is the same', async (t) => {
  const { intake } = await openIntake(t)
  const image = jpegOf(5000)
  await intake.take(offer(image, 'a'))
  const outcome = await intake.take(offer(withSameCrc32(image), 'a'))
  assert.equal(outcome.kind === 'refused' && outcome.reason, 'id_conflict')
})

test('a repeat is known across a restart, also when the image has left', async (t) => {
  const directory = await makeTempDirectory(t)
  const first = await Spool.open(spoolOptions(directory), () => {})
  const image = jpegOf(5000)
  const { intake } = start(first, directory, [])
  const outcome = await intake.take(offer(image, 'a'))
  assert.ok(outcome.kind === 'taken')
  const sha256 = createHash('sha256').update(image).digest('hex')
  await first.markUploaded(outcome.entry, { uploadedAt: 1, bucket: 'b', key: 'k', etag: 'e', sha256 })
  await first.close()
  const { spool, events } = await openTestSpool(t, { directory })
  const again = start(spool, directory, events).intake
  assert.equal((await again.take(offer(image, 'a'))).kind, 'duplicate')
  assert.equal((await again.take(offer(jpegOf(5000), 'a'))).kind, 'refused')
})

test('a name is forgotten with the dedup window', async (t) => {
  const { intake, spool } = await openIntake(t, {}, { dedupWindowMs: 1 })
  const outcome = await intake.take(offer(jpegOf(5000), 'a'))
  assert.ok(outcome.kind === 'taken')
  await spool.drop(outcome.entry)
  await eventually(() => Date.now() > outcome.entry.receivedAt + 1)
  assert.equal((await intake.take(offer(jpegOf(5000), 'a'))).kind, 'taken')
})

test('a full spool withholds the image for a bounded time, and takes it as soon as there is room', async (t) => {
  const { intake: impatient, spool, events } = await openIntake(t, { limitBytes: 10_000_000 }, { withholdMs: 20 })
  const patient = start(spool, await makeTempDirectory(t), events, { withholdMs: 8000 }).intake
  const taken: Entry[] = []
  for (let full = false; !full;) {
    const outcome = await impatient.take(offer(jpegOf(300_000)))
    full = outcome.kind === 'withheld'
    if (outcome.kind === 'taken') taken.push(outcome.entry)
  }
  const late = patient.take(offer(jpegOf(1000), 'late'))
  for (const entry of taken) await spool.drop(entry)
  assert.equal((await late).kind, 'taken')
})

test('an image that cannot be taken in time is given back to its device', async (t) => {
  const { intake, events } = await openIntake(t, { limitBytes: 1000 })
  const outcome = await intake.take(offer(jpegOf(5000), 'a'))
  assert.equal(outcome.kind === 'withheld' && outcome.reason, 'spool_full')
  assert.ok(events.some(({ kind }) => kind === 'image-withheld'))
})

test('a repeat of an image whose record is damaged on disk is taken, not called a duplicate', async (t) => {
  const directory = await makeTempDirectory(t)
  const first = await Spool.open(spoolOptions(directory), () => {})
  const image = jpegOf(50_000)
  await start(first, directory, []).intake.take(offer(image, 'a'))
  await first.close()
  await damageSegments(directory)
  const { spool, events } = await openTestSpool(t, { directory })
  assert.equal((await start(spool, directory, events).intake.take(offer(image, 'a'))).kind, 'taken')
})

async function damageSegments (directory: string): Promise<void> {
  const root = join(directory, 'segments')
  for (const segment of await readdir(root)) {
    for (const file of await readdir(join(root, segment))) {
      if (file.endsWith('.log')) await writeFile(join(root, segment, file), '')
    }
  }
}

/** CRC-32 is linear: the same change at two places 2^32 - 1 bits apart cancels; four chosen bytes do it nearer. */
function withSameCrc32 (image: Buffer): Buffer {
  const polynomial = [0x41, 0x06, 0x71, 0xdb, 0x01] // x^32 + ... + 1, bit-reversed for the reflected CRC-32
  const changed = Buffer.from(image)
  polynomial.forEach((byte, i) => { changed[1000 + i] = (changed[1000 + i] ?? 0) ^ byte })
  return changed
}
