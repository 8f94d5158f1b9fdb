// kill -9. It proves nothing about power cuts (power.test.ts): the page cache survives the process.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { createRandom } from '../../device-sim/random.ts'
import { devicesOf } from '../helpers/custody.ts'
import { tempDirectory } from '../helpers/sluice.ts'
import { assertRecovered, killInLoad, killInStart } from './death.ts'
import { rounds } from './rounds.ts'
import { seedOf } from './seed.ts'

const KILLS = rounds({ fast: 20, long: 200 })
/** Each on data of its own, so that no store grows beyond what can be sent again. */
const KILLS_PER_SITE = 20

test(`every image that has a PUBACK lies in the store once and byte for byte after ${KILLS} times kill -9`, async (t) => {
  const random = createRandom(seedOf(t))
  const startedAt = Date.now()
  let [images, waitingMost] = [0, 0]
  for (let kills = 0; kills < KILLS;) {
    const site = { dataDir: join(await tempDirectory(t), 'data'), devices: devicesOf(random), random }
    for (let round = 1; round <= KILLS_PER_SITE; round++, kills++) {
      if (round % 7 === 0) await killInStart(t, site)
      else waitingMost = Math.max(waitingMost, (await killInLoad(t, site)).waiting)
    }
    images += await assertRecovered(t, site)
  }
  assert.ok(waitingMost > 0, 'no backlog ever waited at a start')
  const seconds = Math.round((Date.now() - startedAt) / 1000)
  t.diagnostic(`${KILLS} kills, ${images} images, at most ${waitingMost} waiting at a start, lost 0, corrupted 0, ${seconds} s`)
})
