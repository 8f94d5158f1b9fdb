import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { LimitedPacket } from '../broker/events.ts'
import type { BridgeEvent } from '../bridge/events.ts'
import { createLog, type Log, type LogDestination, type LogOptions } from '../bridge/log.ts'
import { levelOf } from '../bridge/log-lines.ts'
import { describeStatus } from '../bridge/status.ts'
import { describeWaiting } from '../bridge/waiting-line.ts'
import { deviceId, entryWith, imageId, upload } from './helpers/exposition.ts'
import { backlog, down, facts, paused } from './helpers/facts.ts'

const entry = entryWith()
const refused = {
  kind: 'image-refused',
  deviceId: deviceId('cam-7'),
  imageId: imageId('a1'),
  format: 'raw',
  reason: 'not_an_image',
  detail: 'the first bytes are those of a PDF'
} as const

function logTo (options: Partial<LogOptions> & { isTTY?: boolean } = {}): { log: Log, lines: string[] } {
  const lines: string[] = []
  const destination: LogDestination = { isTTY: options.isTTY ?? false, write: (line) => lines.push(line) }
  return { log: createLog({ level: 'info', format: 'json', destination, ...options }), lines }
}

function written (event: BridgeEvent, options: Partial<LogOptions> = {}): Record<string, unknown> | undefined {
  const { log, lines } = logTo(options)
  log.observe(event)
  return lines[0] === undefined ? undefined : JSON.parse(lines[0])
}

test('a change of state is one line, in words for a person and in fields for a machine', () => {
  const { time, ...line } = written({
    kind: 'uplink-down', reason: 'connect', detail: 'connect ECONNREFUSED 127.0.0.1:9000', retryInSeconds: 2
  }) ?? {}
  assert.match(String(time), /^\d{4}-\d\d-\d\dT/)
  assert.deepEqual(line, {
    level: 'warn',
    event: 'uplink-down',
    reason: 'connect',
    detail: 'connect ECONNREFUSED 127.0.0.1:9000',
    retryInSeconds: 2,
    msg: 'uplink down (connect): connect ECONNREFUSED 127.0.0.1:9000; images are kept on disk, next try in 2 s'
  })
})

test('images that come and go as they should are told of at debug only', () => {
  const daily: BridgeEvent[] = [
    { kind: 'client-connected', clientId: 'cam-1' },
    { kind: 'image-taken', entry, format: 'raw', seconds: 0.01 },
    { kind: 'put-ended', entry, seconds: 1, outcome: 'stored', detail: '' },
    { kind: 'entry-uploaded', entry, upload, seconds: 1 }
  ]
  for (const event of daily) {
    assert.equal(written(event), undefined)
    assert.equal(written(event, { level: 'debug' })?.['level'], 'debug')
  }
})

test('the setting to change is named where one would help, and no other', () => {
  const cut = { kind: 'packet-too-large', remote: '10.0.0.7', clientId: 'cam-7', declaredBytes: 15_300, bytesMax: 8192 } as const
  const words = (packet: LimitedPacket): unknown => written({ ...cut, packet })?.['msg']
  assert.match(String(words('PUBLISH')), /a PUBLISH packet of 15\.3 kB, and mqtt\.maxPacketSize is 8\.2 kB$/)
  assert.match(String(words('CONNECT')), /a CONNECT packet of 15\.3 kB, and a CONNECT, with its will, may have 8\.2 kB$/)
  assert.doesNotMatch(String(words('control')), /maxPacketSize/)
})

test('a line about an image names the device and the image, and not the whole entry', () => {
  const failure = { failedAt: 1, reason: 'store_refused', detail: 'EntityTooLarge', attempts: 3 }
  const { time, ...line } = written({ kind: 'entry-failed', entry, failure }) ?? {}
  assert.deepEqual(line, {
    level: 'warn',
    event: 'entry-failed',
    deviceId: 'cam-1',
    imageId: 'a1',
    sequence: 1,
    bytes: 250_000,
    failure,
    msg: 'set cam-1/a1 aside as failed (store_refused, attempt 3): EntityTooLarge'
  })
})

test('each change of the limit is one line: how much, until when, and who wants it', () => {
  const until = Date.parse('2026-11-23T13:00:00Z')
  const limit = { kind: 'limit-changed', bytesPerSecond: 712_500, source: 'override', paused: undefined, until } as const
  const lines = [
    written({ ...limit, action: 'set_limit', reason: 'the backup' }),
    written({ ...limit, action: undefined, reason: undefined, source: 'timetable', bytesPerSecond: 0, paused: 'schedule' }),
    written({ ...limit, action: 'resume', reason: undefined, source: 'share', until: undefined })
  ]
  assert.deepEqual(lines.map((line) => line?.['msg']), [
    'an operator set the limit: uploads may take 5.7 Mbit/s until 2026-11-23T13:00:00.000Z (set by an operator: the backup)',
    'no upload is begun until 2026-11-23T13:00:00.000Z (by the timetable)',
    'an operator resumed uploads: uploads may take 5.7 Mbit/s (the usual share)'
  ])
})

test('a refused connection says why, so that the device can be put right', () => {
  const line = written({
    kind: 'connect-refused', result: 'unsupported_protocol', remote: '10.0.0.5:40112', detail: 'MQTT 5 is not spoken here; use 3.1.1'
  })
  assert.equal(line?.['msg'],
    'refused a connection from 10.0.0.5:40112 (unsupported_protocol): MQTT 5 is not spoken here; use 3.1.1')
})

test('a thousand refused images are a few lines and a count', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { log, lines } = logTo()
  for (let n = 0; n < 1000; n++) log.observe(refused)
  assert.equal(lines.length, 5)
  t.mock.timers.tick(1000)
  assert.equal(JSON.parse(lines[5] ?? '').msg, '995 more lines about image-refused left out in this second')
  log.observe(refused)
  assert.match(lines[6] ?? '', /cam-7\/a1/)
})

test('a storm of one kind does not hide another', () => {
  const { log, lines } = logTo()
  for (let n = 0; n < 100; n++) log.observe(refused)
  log.observe({ kind: 'intake-paused', reason: 'spool_full', detail: 'raise spool.limit' })
  assert.match(lines.at(-1) ?? '', /not accepting images/)
})

test('what is still folded is told at the end', () => {
  const { log, lines } = logTo()
  for (let n = 0; n < 7; n++) log.observe(refused)
  log.close()
  assert.match(lines.at(-1) ?? '', /2 more lines about image-refused/)
})

test('on a terminal a line is a sentence, elsewhere it is JSON', () => {
  const terminal = logTo({ format: 'auto', isTTY: true })
  terminal.log.info('sluice stopped', { signal: 'SIGTERM' })
  assert.match(terminal.lines[0] ?? '', /^\[\d\d:\d\d:\d\d\].*INFO.*sluice stopped/)
  assert.doesNotMatch(terminal.lines[0] ?? '', /SIGTERM/)
  const file = logTo({ format: 'auto', isTTY: false })
  file.log.info('sluice stopped', { signal: 'SIGTERM' })
  assert.equal(JSON.parse(file.lines[0] ?? '').signal, 'SIGTERM')
})

test('what a stranger sends cannot forge a second line or rule the terminal', () => {
  const { log, lines } = logTo({ format: 'text' })
  const topic = `devices/x\n[12:00:00] INFO: all is well\u001b[2J\u202e${'y'.repeat(60_000)}`
  log.observe({ kind: 'topic-refused', clientId: 'evil', topic, reason: 'bad_topic', detail: 'not a topic of this device' })
  assert.equal(lines.length, 1)
  assert.equal(lines[0]?.split('\n').length, 2) // the line and its end
  for (const forbidden of ['\u001b', '\u202e']) assert.ok(!lines[0]?.includes(forbidden))
  assert.ok((lines[0]?.length ?? 0) < 1200)
})

test('a storage error is an error, with its cause in words and no stack', () => {
  const line = written({ kind: 'spool-fault', operation: 'write', cause: new Error('No space left on device') })
  assert.equal(line?.['level'], 'error')
  assert.equal(line?.['cause'], 'No space left on device')
  assert.doesNotMatch(JSON.stringify(line), / {4}at /)
})

/** The compiler sees to it that none is missing. */
const KINDS: Readonly<Record<BridgeEvent['kind'], true>> = {
  'client-connected': true,
  'client-disconnected': true,
  'connect-refused': true,
  'packet-too-large': true,
  'topic-refused': true,
  'subscription-refused': true,
  'publish-received': true,
  'publish-acknowledged': true,
  'image-taken': true,
  'image-duplicate': true,
  'image-refused': true,
  'image-withheld': true,
  'intake-paused': true,
  'intake-resumed': true,
  'spool-written': true,
  'spool-read': true,
  'spool-fault': true,
  'spool-recovered': true,
  'spool-damaged': true,
  'put-started': true,
  'put-ended': true,
  'entry-uploaded': true,
  'entry-failed': true,
  'entry-retried': true,
  'entry-prioritized': true,
  'entry-dropped': true,
  'uplink-down': true,
  'uplink-up': true,
  'limit-changed': true,
  'limits-not-kept': true,
  'store-fault': true,
  'operator-advised': true,
  'advice-over': true,
  'backlog-waits': true,
  'slo-not-kept': true,
  'config-reloaded': true,
  'http-request': true,
  'limit-reached': true,
  'caller-refused': true,
  'http-limit-reached': true
}

test('docs/logs.md tells of every event with its level, and of no other', async () => {
  const page = await readFile(join(import.meta.dirname, '../docs/logs.md'), 'utf8')
  const told = [...page.matchAll(/^\| `([a-z-]+)` \| (\w+) \|/gm)].map(([, kind, level]) => [kind, level])
  const levels = (Object.keys(KINDS) as Array<BridgeEvent['kind']>).map((kind) => [kind, levelOf(kind)])
  assert.deepEqual(told.sort(), levels.sort())
})

test('once a minute a sentence says what waits, and nothing is said where nothing does', () => {
  const flow = { in: { imagesPerSecond: 17, bytesPerSecond: 4.33e6 } }
  const busy = facts({ ...backlog, sentBytesPerSecond: 37.9e6 / 8, flow })
  const line = describeWaiting(describeStatus(busy))
  assert.ok(line !== undefined)
  const sentence = 'oldest image is 14 min old; 1,214 images (304 MB) wait; 37.9 of 38 Mbit/s used; empty in about 12 min'
  assert.equal(line.detail, sentence)
  assert.deepEqual([written(line)?.['event'], written(line)?.['level'], written(line)?.['msg']], ['backlog-waits', 'info', sentence])
  const gone = describeWaiting(describeStatus(facts({ ...backlog, uplink: { state: down } })))
  assert.match(gone?.detail ?? '', /wait; the uplink is down \(connect\); not getting less/)
  assert.match(describeWaiting(describeStatus(facts({ ...backlog, limit: paused })))?.detail ?? '', /uploads are paused/)
  assert.equal(describeWaiting(describeStatus(facts())), undefined)
})
