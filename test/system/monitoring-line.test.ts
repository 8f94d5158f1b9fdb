// A line that is too thin, and an operator who forgets that uploads are paused: the real service under a real
// Prometheus and Alertmanager, as in monitoring.test.ts.

import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'node:test'
import { assertMarked } from './monitoring-panels.ts'
import { startSite, type Site } from './monitoring-site.ts'
import { hurried, startWatch, type Watch } from './monitoring-watch.ts'
import { missing } from './peers.ts'

const skip = missing('prometheus', 'prometheus-alertmanager')

test('on a line that is too thin each alert fires in its trouble and ends after it', { skip, timeout: 235_000 }, async (t) => {
  const site = await startSite(t)
  const watch = await startWatch(t, [new URL(site.service.url).host], hurried)
  await t.test('a line thinner than the fleet: the backlog grows, the spool fills, intake stops', () => thinLine(site, watch))
  await t.test('the line is as it was: intake goes on, and what waited goes out', () => wideLine(site, watch))
  await t.test('an operator pauses uploads and forgets it', () => pausedForLong(site, watch))
})

async function thinLine (site: Site, watch: Watch): Promise<void> {
  const { ask, heard } = watch
  const from = Date.now() / 1000
  await delay(5000) // the first minutes of the day are good ones
  await site.sluice('uplink', 'limit', '800kbit', '--reason', 'the backup runs')
  await heard('SluiceSLOErrorBudgetBurnFast', 'firing')
  await heard('SluiceSLOErrorBudgetBurnSlow', 'firing')
  await heard('SluiceBacklogGrowing', 'firing')
  await heard('SluiceSpoolWillFill', 'firing')
  await heard('SluiceSpoolNearlyFull', 'firing')
  await heard('SluiceIngestPaused', 'firing', 90_000)
  const status = await site.service.status()
  assert.equal(status.accepting, false)
  const [full] = await ask('max(sluice_ingest_paused{reason="spool_full"})')
  assert.equal(full?.points[0]?.[1], 1)
  await assertMarked(watch, from, (name) => name === 'Intake paused')
}

async function wideLine (site: Site, { heard }: Watch): Promise<void> {
  await site.sluice('uplink', 'limit', 'default')
  await heard('SluiceIngestPaused', 'resolved', 90_000)
  await heard('SluiceSpoolNearlyFull', 'resolved')
  await heard('SluiceSpoolWillFill', 'resolved')
  await heard('SluiceBacklogGrowing', 'resolved')
}

/** The cameras are quiet, as at night, so that what fired by day ends. */
async function pausedForLong (site: Site, { heard }: Watch): Promise<void> {
  site.cameras.isQuiet = true
  await site.sluice('uplink', 'pause', '--reason', 'forgotten')
  await heard('SluiceSLOErrorBudgetBurnFast', 'resolved', 90_000)
  await heard('SluiceUploadsPausedForLong', 'firing', 90_000)
  await site.sluice('uplink', 'resume')
  await heard('SluiceUploadsPausedForLong', 'resolved')
}
