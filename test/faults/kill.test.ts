// kill -9. It proves nothing about power cuts (power.test.ts): the page cache survives the process.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { createRandom } from '../../device-sim/random.ts'
import { assertRecovered, killAt, killInLoad, killInStart, newSite } from './death.ts'
import type { Point } from './points.ts'
import { rounds, sideBySide } from './rounds.ts'
import { secondsSince, seedOf } from './seed.ts'

const SITES = rounds({ fast: 2, long: 20 })
const KILLS_PER_SITE = 10

test(`every image that has a PUBACK is stored once and byte for byte after ${SITES * KILLS_PER_SITE} times kill -9`, async (t) => {
  const seed = seedOf(t)
  const startedAt = Date.now()
  let [kills, images, waitingMost] = [0, 0, 0]
  await sideBySide(SITES, async (i) => {
    const site = await newSite(t, createRandom(seed + i))
    for (let round = 1; round <= KILLS_PER_SITE; round++, kills++) {
      if (round % 5 === 0) await killInStart(t, site)
      else waitingMost = Math.max(waitingMost, (await killInLoad(t, site)).waiting)
    }
    images += await assertRecovered(t, site)
  })
  assert.ok(waitingMost > 0, 'no backlog ever waited at a start')
  t.diagnostic(`${kills} kills, ${images} images, at most ${waitingMost} waiting at a start, lost 0, corrupted 0, ` +
    `${secondsSince(startedAt)} s`)
})

interface Moment {
  readonly point: Point
  /** The process dies at one of the first so many times that it comes there. */
  readonly among: number
  readonly words: string
}

/** In such an order that each finds what it needs: what is read back and removed is left there by the death before. */
const MOMENTS: { readonly [what: string]: readonly Moment[] } = {
  'while an image is taken and put': [
    { point: 'before-write', among: 20, words: 'before the spool write' },
    { point: 'before-sync', among: 20, words: 'after the write, before the sync' },
    { point: 'before-puback', among: 20, words: 'after the sync, before the PUBACK' },
    { point: 'before-mark', among: 20, words: 'after the put, before the mark' }
  ],
  'while a segment is sealed, read back and dropped': [
    { point: 'sealing', among: 3, words: 'while a full segment is sealed' },
    { point: 'recovered', among: 2, words: 'in a start that has read a segment back, before it says so' },
    { point: 'recovering', among: 5, words: 'in a start that reads a segment back' },
    { point: 'dropping', among: 3, words: 'after a drained segment was renamed' },
    { point: 'removing', among: 3, words: 'when half of a drained segment was removed' }
  ]
}

describe('a process that dies at a named point loses no image that has a PUBACK', { concurrency: 2 }, () => {
  for (const [what, moments] of Object.entries(MOMENTS)) {
    test(what, async (t) => { await dieAtEach(t, moments) })
  }
})

async function dieAtEach (t: TestContext, moments: readonly Moment[]): Promise<void> {
  const random = createRandom(seedOf(t))
  const startedAt = Date.now()
  let [deaths, images] = [0, 0]
  for (let round = rounds({ fast: 1, long: 5 }); round > 0; round--) {
    const site = await newSite(t, random)
    for (const { point, among, words } of moments) {
      const nth = 1 + Math.floor(random() * among)
      await t.test(`${words}, time ${nth}`, async (t) => {
        await killAt(t, site, point, nth)
        deaths++
      })
    }
    await t.test('and the next start stores the rest', async (t) => { images += await assertRecovered(t, site) })
  }
  assert.equal(deaths, moments.length * rounds({ fast: 1, long: 5 }))
  t.diagnostic(`${deaths} deaths, ${images} images, lost 0, corrupted 0, ${secondsSince(startedAt)} s`)
}
