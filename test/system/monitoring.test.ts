// A day of trouble in minutes: the real service under a real Prometheus and Alertmanager. Each alert fires in the
// trouble it is for, ends after it, and reaches a webhook; every panel has an answer, held against what the
// service's ledger says and what the cameras counted. What a thin line and a bad machine do to it is in
// monitoring-line.test.ts and monitoring-machine.test.ts, and what takes hours in monitoring-rules.test.ts.

import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'node:test'
import { eventually } from '../helpers/eventually.ts'
import { assertAnswered, assertMarked, assertTrue } from './monitoring-panels.ts'
import { drawDashboards } from './monitoring-pictures.ts'
import { startSite, type Site } from './monitoring-site.ts'
import { hurried, startWatch, type Watch } from './monitoring-watch.ts'
import { missing } from './peers.ts'

const skip = missing('prometheus', 'prometheus-alertmanager')

interface Scene {
  readonly site: Site
  readonly heard: Watch['heard']
}

test('through a day of trouble alerts fire and end, and every panel tells the truth', { skip, timeout: 235_000 }, async (t) => {
  const site = await startSite(t)
  const watch = await startWatch(t, [new URL(site.service.url).host], hurried)
  const from = Date.now() / 1000
  const scene = { site, heard: watch.heard }

  await delay(20_000) // the first minutes of the day are good ones
  await t.test('the store is away: nothing goes out, and all of it when it is back', () => outage(scene))
  await t.test('the store refuses images and fails puts, and cameras send what is no image', () => badImages(scene))
  await t.test('an operator pauses uploads for a moment', () => pause(scene))
  await t.test('half of the fleet is gone at once', () => massDisconnect(scene))
  const to = Date.now() / 1000
  await t.test('when all is quiet, panels agree with the ledger and with the cameras', () => assertTrue(site, watch, from))
  await t.test('every query of every panel has an answer that can be', () => assertAnswered(watch, from, Date.now() / 1000))
  await t.test('what happened is marked in the dashboards', () => assertMarked(watch, from, (name) => name !== 'Intake paused'))
  await t.test('the dashboards can be drawn from what Prometheus has', { skip: missing('chromium') },
    (t) => drawDashboards(t, watch, from, to, new URL(site.service.url).host))
})

async function outage ({ site, heard }: Scene): Promise<void> {
  await site.store.suffer({ outage: true })
  await heard('SluiceUploadsStalled', 'firing')
  assert.equal((await site.service.status()).verdict.word, 'UPLINK DOWN')
  await delay(10_000) // long enough to be seen in a picture
  await site.store.suffer({})
  await heard('SluiceUploadsStalled', 'resolved')
  await drained(site)
}

async function badImages ({ site, heard }: Scene): Promise<void> {
  await site.store.suffer({ refusedDevice: 'cam-3', errorRate: 0.2 })
  site.cameras.junkShare = 0.2
  await heard('SluiceImagesFailed', 'firing')
  await heard('SluiceMessagesRefused', 'firing')
  await heard('SluiceUploadErrorRatioHigh', 'firing')
  site.cameras.junkShare = 0
  await site.store.suffer({})
  await heard('SluiceMessagesRefused', 'resolved')
  await heard('SluiceUploadErrorRatioHigh', 'resolved')
}

async function pause ({ site }: Scene): Promise<void> {
  await site.sluice('uplink', 'pause', '--reason', 'maintenance')
  assert.equal((await site.service.status()).allowance.bytesPerSecond, 0)
  await delay(8000) // long enough to be seen in a picture
  await site.sluice('uplink', 'resume')
  await drained(site)
}

async function massDisconnect ({ site, heard }: Scene): Promise<void> {
  site.cameras.away = 10
  await heard('SluiceMassDisconnect', 'firing')
  site.cameras.away = 0
  await heard('SluiceMassDisconnect', 'resolved')
  await delay(8000) // long enough to be seen in a picture
  site.cameras.isQuiet = true
  await drained(site)
}

async function drained ({ service }: Site): Promise<void> {
  await eventually(async () => (await service.status()).backlog.count < 20,
    { timeoutMs: 60_000, what: 'a spool that is all but empty' })
}
