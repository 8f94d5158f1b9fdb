// A day of trouble in minutes: the real service under a real Prometheus and Alertmanager. Each alert fires in the
// trouble it is for, ends after it, and reaches a webhook; every panel has an answer, held against what the service's
// ledger says and what the cameras counted. What a bad machine does to it is in monitoring-machine.test.ts, and what
// takes hours in monitoring-rules.test.ts.

import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'node:test'
import { defaults } from '../../dashboards/rules/rules.ts'
import { eventually } from '../helpers/eventually.ts'
import { drawDashboards } from './monitoring-pictures.ts'
import { assertAnswered, assertTrue } from './monitoring-panels.ts'
import { startSite, type Site } from './monitoring-site.ts'
import { startWatch, type Watch } from './monitoring-watch.ts'
import { missing } from './peers.ts'

const skip = missing('prometheus', 'prometheus-alertmanager')

/** A minute of the rules lasts a second, and so a day 24 minutes. */
const hurried = { ...defaults, minuteSeconds: 1 }

interface Scene {
  readonly site: Site
  readonly watch: Watch
  readonly heard: Watch['heard']
}

test('through a day of trouble alerts fire and end, and every panel tells the truth', { skip, timeout: 420_000 }, async (t) => {
  const site = await startSite(t)
  const watch = await startWatch(t, [new URL(site.service.url).host], hurried)
  const from = Date.now() / 1000
  const scene = { site, watch, heard: watch.heard }

  await t.test('a line thinner than the fleet: the backlog grows, the spool fills, intake stops', () => thinLine(scene))
  await t.test('the store is away: nothing goes out', () => outage(scene))
  await t.test('the store refuses images and fails puts, and cameras send what is no image', () => badImages(scene))
  const evening = Date.now() / 1000
  await t.test('half of the fleet is gone at once', () => massDisconnect(scene))
  await t.test('when all is quiet, panels agree with the ledger and with the cameras', () => assertTrue(site, watch, from))
  await t.test('an operator pauses uploads and forgets it; the rest has ended by then', () => pausedForLong(scene))
  const to = Date.now() / 1000
  await t.test('every query of every panel has an answer that can be', () => assertAnswered(watch, from, to))
  await t.test('the dashboards can be drawn from what Prometheus has', { skip: missing('chromium') },
    (t) => drawDashboards(t, watch, from, evening, new URL(site.service.url).host))
})

async function thinLine ({ site, watch, heard }: Scene): Promise<void> {
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
  const [full] = await watch.ask('max(sluice_ingest_paused{reason="spool_full"})')
  assert.equal(full?.points[0]?.[1], 1)
  await site.sluice('uplink', 'limit', 'default')
  await heard('SluiceIngestPaused', 'resolved')
  await heard('SluiceSpoolNearlyFull', 'resolved')
  await heard('SluiceSpoolWillFill', 'resolved')
  await heard('SluiceBacklogGrowing', 'resolved')
}

async function outage ({ site, heard }: Scene): Promise<void> {
  await site.store.faults.set({ outage: true })
  await heard('SluiceUploadsStalled', 'firing')
  assert.equal((await site.service.status()).verdict.word, 'UPLINK DOWN')
  await site.store.faults.clear()
  await heard('SluiceUploadsStalled', 'resolved')
}

async function badImages ({ site, heard }: Scene): Promise<void> {
  site.store.faults.refuseKeys(/cam-3\//, { status: 400, code: 'EntityTooLarge' })
  await site.store.faults.set({ errorRate: 0.2 })
  site.cameras.junkShare = 0.2
  await heard('SluiceImagesFailed', 'firing')
  await heard('SluiceMessagesRefused', 'firing')
  await heard('SluiceUploadErrorRatioHigh', 'firing')
  site.cameras.junkShare = 0
  await site.store.faults.clear()
  await heard('SluiceMessagesRefused', 'resolved')
  await heard('SluiceUploadErrorRatioHigh', 'resolved')
}

async function massDisconnect ({ site, heard }: Scene): Promise<void> {
  site.cameras.away = 10
  await heard('SluiceMassDisconnect', 'firing')
  site.cameras.away = 0
  await heard('SluiceMassDisconnect', 'resolved')
  site.cameras.isQuiet = true
  await eventually(async () => (await site.service.status()).backlog.count === 0, { timeoutMs: 60_000, what: 'an empty spool' })
}

/** The cameras are quiet, as at night, so that what fired by day ends. */
async function pausedForLong ({ site, heard }: Scene): Promise<void> {
  await site.sluice('uplink', 'pause', '--reason', 'forgotten')
  await heard('SluiceSLOErrorBudgetBurnFast', 'resolved', 90_000)
  await heard('SluiceImagesFailed', 'resolved', 90_000)
  await heard('SluiceUploadsPausedForLong', 'firing', 90_000)
  await site.sluice('uplink', 'resume')
  await heard('SluiceUploadsPausedForLong', 'resolved')
}
