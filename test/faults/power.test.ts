// Loss of power: what was written and not synced is gone (volume.ts). The control shows that it is.

import assert from 'node:assert/strict'
import { createRandom } from '../../device-sim/random.ts'
import { assertCustody, assertNoticed, countLost } from './death.ts'
import { mounting, testWith } from './needs.ts'
import { cutInLoad, cutInStart, newPoweredSite, startPowered, type Moment } from './power.ts'
import { rounds, sideBySide } from './rounds.ts'
import { secondsSince, seedOf } from './seed.ts'
import { mutatedBy } from './tampered.ts'

const CUTS = rounds({ fast: 2, long: 100 })
const CUTS_PER_SITE = Math.min(CUTS, 10)
const MOMENTS: ReadonlyArray<Moment | 'start'> = [
  'acknowledged', 'begun', 'removed', 'any', 'start', 'begun', 'any', 'removed', 'begun', 'any'
]
/** Every second site loses its power before it has ever listened. */
const MOMENTS_OF_OTHERS = ['start', ...MOMENTS.filter((moment) => moment !== 'start')] as const

testWith(mounting, `every image that has a PUBACK is stored once and byte for byte after ${CUTS} power cuts`, async (t) => {
  const seed = seedOf(t)
  const startedAt = Date.now()
  let [cuts, images, samples] = [0, 0, 0]
  await sideBySide(CUTS / CUTS_PER_SITE, async (i) => {
    const site = await newPoweredSite(t, createRandom(seed + i))
    for (const moment of (i % 2 === 0 ? MOMENTS : MOMENTS_OF_OTHERS).slice(0, CUTS_PER_SITE)) {
      if (moment === 'start') await cutInStart(t, site)
      else samples += await cutInLoad(t, site, moment)
      cuts++
    }
    const last = await startPowered(t, site)
    images += await assertCustody(last, site.devices, site.storeRoot)
    await last.kill('SIGKILL')
    await site.volume.remove()
  })
  assert.equal(cuts, CUTS)
  assert.ok(samples > 0)
  t.diagnostic(`${cuts} power cuts, ${images} images, lost 0, corrupted 0, the ledger exact ${samples} times, ` +
    `${secondsSince(startedAt)} s`)
})

testWith(mounting, 'without the sync a power cut loses images that have a PUBACK, and the harness notices', async (t) => {
  await assertNoticed(t, async (random) => {
    const site = await newPoweredSite(t, random)
    await cutInLoad(t, site, 'any', mutatedBy('no-sync'))
    return await countLost(await startPowered(t, site), site.devices, site.storeRoot)
  })
})
