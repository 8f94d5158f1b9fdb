// An image that a device sends again is never taken twice, and an id never names two images: random sequences of what
// devices, the store, operators, the clock and crashes do, against a model.
//
// A crash leaves what a copy of the directory between two steps has. A power cut takes from that copy what was written
// to the index since it was last told to sync; segments and what is set aside are synced before anybody goes on.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import type { Offer } from '../../bridge/intake/candidate.ts'
import type { Entry } from '../../bridge/entry.ts'
import type { State } from '../../bridge/spool/accounts.ts'
import type { Spool } from '../../bridge/spool/spool.ts'
import { parseDeviceId, parseImageId } from '../../broker/topics.ts'
import { sha256 } from '../helpers/bridge.ts'
import { DedupSite, WINDOW_MS } from '../helpers/dedup-site.ts'
import { Model, stateOf, type Known } from '../helpers/dedup-model.ts'
import { jpegOf } from '../helpers/jpeg.ts'
import { makeTempDirectory } from '../helpers/spool.ts'
import { rounds } from './rounds.ts'
import { seedOf } from './seed.ts'

type Step =
  /** So many times at once; without an id the image is named by its bytes. */
  | { readonly kind: 'publish', device: string, id: string | undefined, picture: number, times: number }
  | { readonly kind: 'upload' | 'fail' | 'retry' | 'drop', readonly nth: number }
  | { readonly kind: 'wait', readonly minutes: number }
  | { readonly kind: 'restart' | 'kill' | 'cut' }

const PICTURES = [1000, 3000, 3000, 9000].map(jpegOf)

const publish = fc.record({
  kind: fc.constant('publish' as const),
  device: fc.constantFrom('cam-1', 'cam-2'),
  id: fc.constantFrom('a', 'b', 'c', undefined),
  picture: fc.nat(PICTURES.length - 1),
  times: fc.integer({ min: 1, max: 3 })
})
const handle = fc.record({
  kind: fc.constantFrom('upload', 'upload', 'fail', 'retry', 'drop'), nth: fc.nat(20)
}) as fc.Arbitrary<Step>
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: publish },
  { weight: 8, arbitrary: handle },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), minutes: fc.integer({ min: 1, max: 45 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('restart' as const, 'kill' as const, 'cut' as const) }) })

/** Everything once, and an operator's second try of an image, whose mark a power cut takes back. */
const example: readonly Step[] = [
  { kind: 'publish', device: 'cam-1', id: 'a', picture: 0, times: 2 },
  { kind: 'publish', device: 'cam-1', id: 'a', picture: 1, times: 1 },
  { kind: 'fail', nth: 0 },
  { kind: 'retry', nth: 0 },
  { kind: 'kill' },
  { kind: 'upload', nth: 0 },
  { kind: 'cut' },
  { kind: 'upload', nth: 0 },
  { kind: 'publish', device: 'cam-2', id: undefined, picture: 3, times: 3 },
  { kind: 'drop', nth: 0 },
  { kind: 'wait', minutes: 61 },
  { kind: 'publish', device: 'cam-1', id: 'a', picture: 1, times: 1 }
]

/** An image that comes again once it is forgotten is a new one, whatever a loss of power leaves of the index. */
const again: Step[] = [
  { kind: 'publish', device: 'cam-1', id: 'a', picture: 1, times: 1 },
  { kind: 'upload', nth: 0 },
  { kind: 'wait', minutes: 61 },
  { kind: 'publish', device: 'cam-1', id: 'a', picture: 1, times: 1 },
  { kind: 'cut' }
]

test('an image is taken once whatever its device, the store, operators, crashes and the clock do', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setInterval'], now: Date.now() })
  const root = await makeTempDirectory(t)
  const happened = new Map<string, number>()
  const count = (what: string): void => { happened.set(what, (happened.get(what) ?? 0) + 1) }
  const seed = seedOf(t)
  let run = 0
  const steps = fc.array(step, { minLength: 10, maxLength: 40, size: 'max' })
  await fc.assert(fc.asyncProperty(steps, async (steps) => {
    const site = await DedupSite.open(t, join(root, String(run++)))
    try {
      await play(t, { site, model: new Model(WINDOW_MS), count }, steps)
    } finally {
      await site.close()
    }
  }), { numRuns: rounds({ fast: 30, long: 500 }), seed, examples: [[example], [again]], includeErrorInReport: true })
  t.diagnostic(`${run} runs: ${JSON.stringify(Object.fromEntries(happened))}`)
  for (const what of ['taken', 'duplicate', 'refused', 'taken again', 'upload', 'fail', 'retry', 'drop', 'kill', 'cut']) {
    assert.ok(happened.has(what), `never ${what}`)
  }
})

interface Play {
  readonly site: DedupSite
  readonly model: Model
  readonly count: (what: string) => void
}

async function play (t: TestContext, at: Play, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    await take(t, at, step)
    assertLedger(at)
  }
  await at.site.restart()
  await compare(at, { marksMayBeLost: false })
  for (const known of at.model.in('failed')) await move(at, 'retry', known)
  for (const known of at.model.in('waiting')) await move(at, 'upload', known)
  assertLedger(at)
}

async function take (t: TestContext, at: Play, step: Step): Promise<void> {
  const { site, model, count } = at
  switch (step.kind) {
    case 'publish':
      return await offer(at, step)
    case 'upload':
    case 'fail':
    case 'retry':
    case 'drop': {
      const movable = model.in(...MOVES[step.kind].from)
      const known = movable[step.nth % movable.length]
      return known === undefined ? undefined : await move(at, step.kind, known)
    }
    case 'wait':
      return await site.pass(t, step.minutes)
    case 'restart':
      await site.restart()
      return await compare(at, { marksMayBeLost: false })
    case 'kill':
    case 'cut':
      await site.crash(step.kind === 'kill' ? 'process' : 'power')
      count(step.kind)
      return await compare(at, { marksMayBeLost: step.kind === 'cut' })
  }
}

async function offer (at: Play, { device, id, picture, times }: Step & { kind: 'publish' }): Promise<void> {
  const { site, model, count } = at
  const image = pictureOf(picture)
  const name = `${device}/${id ?? sha256(image).slice(0, 32)}`
  const made: Offer = {
    deviceId: parseDeviceId(device),
    imageId: id === undefined ? undefined : parseImageId(id),
    topic: `devices/${device}/images`,
    payload: image
  }
  const expected = model.outcomeOf(name, picture, Date.now())
  const outcomes = await Promise.all(Array.from({ length: times }, () => site.intake.take(made)))
  const [first, ...more] = outcomes
  const repeated = expected === 'taken' ? 'duplicate' : expected
  assert.deepEqual(outcomes.map(({ kind }) => kind), [expected, ...more.map(() => repeated)], name)
  count(expected)
  if (first?.kind !== 'taken') return
  if (model.known.some((known) => known.name === name)) count('taken again')
  model.took({ sequence: first.entry.sequence, name, picture, receivedAt: first.entry.receivedAt })
}

interface Move {
  readonly from: readonly State[]
  readonly to: State
  readonly act: (spool: Spool, entry: Entry, image: Buffer) => Promise<boolean>
}

const MOVES: { readonly [what in 'upload' | 'fail' | 'retry' | 'drop']: Move } = {
  upload: {
    from: ['waiting'],
    to: 'uploaded',
    act: (spool, entry, image) => spool.markUploaded(entry, {
      uploadedAt: Date.now(), bucket: 'images', key: 'k', etag: 'e', sha256: sha256(image)
    })
  },
  fail: {
    from: ['waiting'],
    to: 'failed',
    act: (spool, entry) => spool.setAside(entry, { failedAt: Date.now(), reason: 'too_large', detail: '', attempts: 1 })
  },
  retry: { from: ['failed'], to: 'waiting', act: (spool, entry) => spool.retry(entry) },
  drop: { from: ['waiting', 'failed'], to: 'dropped', act: (spool, entry) => spool.drop(entry) }
}

/** The image is found by its name, in the state it has to be in, with its bytes; and then it moves. */
async function move ({ site: { spool }, model, count }: Play, what: keyof typeof MOVES, known: Known): Promise<void> {
  const [deviceId, imageId] = [parseDeviceId(known.name.split('/')[0] ?? ''), parseImageId(known.name.split('/')[1] ?? '')]
  assert.ok(deviceId !== undefined && imageId !== undefined)
  // The later of two that have one name hides the earlier, whose mark a loss of power took away.
  const isLatest = model.known.findLast(({ name }) => name === known.name)?.sequence === known.sequence
  const listed = await spool.list({ state: stateOf(known), limit: 1000 })
  const held = isLatest
    ? await spool.find(deviceId, imageId)
    : listed.held.find(({ entry }) => entry.sequence === known.sequence)
  assert.deepEqual([held?.entry.sequence, held?.state], [known.sequence, stateOf(known)], known.name)
  assert.ok(held !== undefined)
  const image = pictureOf(known.picture)
  assert.ok((await spool.payload(held.entry)).equals(image), `${known.name} has other bytes`)
  assert.ok(await MOVES[what].act(spool, held.entry, image), `${what} of ${known.name}`)
  count(what)
  model.moved(known, MOVES[what].to)
}

async function compare ({ site, model }: Play, losses: { readonly marksMayBeLost: boolean }): Promise<void> {
  model.assertFound(await site.states(), Date.now(), losses)
}

function assertLedger ({ site, model }: Play): void {
  assert.deepEqual(site.spool.ledger, { acknowledged: model.known.length, ...model.counts })
}

function pictureOf (picture: number): Buffer {
  return PICTURES[picture] ?? assert.fail(`no picture ${picture}`)
}
