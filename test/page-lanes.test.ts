// What the page and `sluice status` say of lanes, of the limit in force, and of what is to come.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatStatus } from '../bridge/cli/status.ts'
import { viewLanes } from '../bridge/http/page-lanes.ts'
import { viewFlow, viewVerdict } from '../bridge/http/page-view.ts'
import { describeStatus, type Facts, type Status } from '../bridge/status.ts'
import { MB, NONE, NOTHING, NOW, backlog, facts, off, paused } from './helpers/facts.ts'
import { ask, keep, startSite } from './helpers/http.ts'
import { jpegOf } from './helpers/jpeg.ts'

const taken = { ...NONE, taken: { count: 9, bytes: 9 } }
const queues: Facts['spool']['queues'] = {
  prioritized: NOTHING,
  alarm: { waiting: { count: 2, bytes: 0.5 * MB }, devices: 1, oldestReceivedAt: NOW - 700 },
  normal: { waiting: { count: 1212, bytes: 303.5 * MB }, devices: 100, oldestReceivedAt: NOW - 14 * 60_000 },
  bulk: NOTHING
}

function waiting (more: Parameters<typeof facts>[0] = {}): Status {
  const flow = { lanes: { alarm: taken, normal: taken, bulk: NONE } }
  return describeStatus(facts({ ...backlog, spool: { ...backlog.spool, queues }, flow, ...more }))
}

/** As it is read, without markup. */
function textOf (markup: { toString (): string }): string {
  return markup.toString().replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')
}

test('page and command show what waits in each lane that is used, since when, and by when an image of now is up', () => {
  const status = waiting()
  assert.match(textOf(viewLanes(status)), / alarm 2 500 kB 0\.7 s 0\.3 s normal 1,212 304 MB 14 min 64 s /)
  assert.doesNotMatch(textOf(viewLanes(status)), /bulk|prioritized/)
  const [head, alarm, normal] = formatStatus(status).split('\n').slice(-5)
  assert.match(head ?? '', /^lane +waiting +oldest +an image of now is up in$/)
  assert.match(alarm ?? '', /^alarm +2 +500 kB +0\.7 s +0\.3 s$/)
  assert.match(normal ?? '', /^normal +1,212 +304 MB +14 min +64 s$/)
})

test('a site with no lanes but normal sees none, and by when an image of now is up in one line', () => {
  const normal = { ...NOTHING, waiting: { count: 1214, bytes: 304 * MB } }
  const spool = { ...backlog.spool, queues: { ...queues, alarm: NOTHING, normal } }
  const flow = { lanes: { alarm: NONE, normal: taken, bulk: NONE } }
  const status = describeStatus(facts({ ...backlog, spool, flow }))
  assert.equal(viewLanes(status).toString(), '')
  assert.match(formatStatus(status), /^an image of now +up in 64 s$/m)
})

test('where by when an image is up cannot be known, no time is shown', () => {
  const flow = { lanes: { alarm: taken, normal: taken, bulk: NONE }, busy: { bytesPerSecond: 0, seconds: 60 } }
  const status = waiting({ flow })
  assert.match(textOf(viewLanes(status)), /normal 1,212 304 MB 14 min not known/)
  assert.equal(JSON.parse(JSON.stringify(status.backlog.lanes.normal)).newImageUpInSeconds, undefined)
})

test('the limit in force is shown with its source, its end and what comes then; the usual share needs no word', () => {
  const flow = (limit: Partial<Facts['limit']>): string => textOf(viewFlow(waiting({ limit })))
  const next = { bytesPerSecond: 14.25 * MB, source: 'timetable', paused: undefined, reason: undefined, until: undefined } as const
  const until = NOW + 2 * 3_600_000
  assert.doesNotMatch(flow({}), /share|timetable/)
  assert.match(flow({ until, next }), /38 Mbit\/s allowed the usual share, for another 2 h, then 114 Mbit\/s/)
  assert.match(flow({ source: 'timetable', until, next: { ...next, bytesPerSecond: 0 } }), /by the timetable, for another 2 h, then none/)
  assert.match(flow({ source: 'override', reason: 'backup' }), /set by an operator \(backup\), until somebody changes it/)
  assert.match(flow({ ...paused, next }), /paused by an operator \(maintenance\), for another 55 min, then 114 Mbit\/s/)
  assert.match(flow({ ...off, until, next }), /off by the timetable, for another 2 h/)
  const said = formatStatus(waiting({ limit: { source: 'timetable', until, next } }))
  assert.match(said, /^allowance .* by the timetable, until 2026-11-03T05:00:00\.000Z, then 114 Mbit\/s$/m)
})

test('what the line carries is shown where it is less than the allowance, and only there', () => {
  const status = (carried: number | undefined): Status => waiting({ uplink: { carriedBytesPerSecond: carried } })
  assert.match(textOf(viewFlow(status(387_500))), / line carries 3\.1 of 38 Mbit\/s allowed /)
  assert.match(formatStatus(status(387_500)), /^line +carries +3\.1 of 38 Mbit\/s allowed$/m)
  for (const carried of [undefined, 5 * MB]) assert.doesNotMatch(textOf(viewFlow(status(carried))), /carries/)
})

test('a warning stands below the verdict on the page and in the status, as text', () => {
  const warnings = [{ kind: 'filling', since: NOW - 600_000, sentence: 'the spool <fills>', fullAt: NOW + 3_600_000 }] as const
  const status = waiting({ warnings })
  assert.match(viewVerdict(status).toString(), /<\/p>\s*<ul class="ahead">\s*<li>The spool &lt;fills&gt;\.<\/li>/)
  assert.deepEqual(status.warnings.map(({ since, fullAt }) => [since, fullAt]),
    [['2026-11-03T02:50:00.000Z', '2026-11-03T04:00:00.000Z']])
  assert.doesNotMatch(viewVerdict(waiting()).toString(), /<ul/)
})

test('a service knows the lanes of its images, and its page shows them', async (t) => {
  const { url, spool } = await startSite(t)
  const image = jpegOf(1000)
  const headers = { 'content-type': 'image/jpeg', 'content-length': image.length }
  await ask(`${url}/api/v1/images?device=cam-1&id=a&lane=bulk`, { method: 'POST', headers }, image)
  await keep(spool, 'cam-2', 'b', image)
  const status = JSON.parse((await ask(`${url}/api/v1/status`)).body) as Status
  const { bulk, normal, alarm } = status.backlog.lanes
  assert.deepEqual([bulk.taken, normal.count, alarm.taken], [{ count: 1, bytes: 1000 }, 1, { count: 0, bytes: 0 }])
  assert.match((await ask(`${url}/`)).body, /<th scope="row">bulk<\/th>\s*<td>1 <small>1 kB<\/small><\/td>/)
})
