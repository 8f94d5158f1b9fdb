// A harness that never fails proves nothing: here the service is made to break its promise, and it has to notice.
// The third way, a PUBACK before the sync, only a power cut shows (power.test.ts).

import { test } from 'node:test'
import { assertNoticed, countLost, killInLoad, newSite, startLast } from './death.ts'
import type { Mutation } from './mutations.ts'
import { rounds } from './rounds.ts'
import { mutatedBy } from './tampered.ts'

const NOTICED: { readonly [mutation in Exclude<Mutation, 'no-sync'>]: string } = {
  'early-puback': 'where the PUBACK is sent before the write, kill -9 loses images, and the harness notices',
  'early-mark': 'where an image is marked before it is put, kill -9 loses images, and the harness notices'
}
const skip = rounds({ fast: 0, long: 1 }) === 0 ? 'runs with npm run test:faults' : false

for (const [mutation, claim] of Object.entries(NOTICED) as Array<[Mutation, string]>) {
  test(claim, { skip }, async (t) => {
    await assertNoticed(t, async (random) => {
      const site = await newSite(t, random, mutatedBy(mutation))
      await killInLoad(t, site)
      return await countLost(await startLast(t, site), site.devices, site.dataDir)
    })
  })
}
