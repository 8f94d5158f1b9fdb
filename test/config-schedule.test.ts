import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { timetable } from '../bridge/config/config.ts'
import { describeConfig } from '../bridge/config/describe.ts'
import { ConfigError } from '../bridge/config/problems.ts'
import { readConfig } from '../bridge/config/read-config.ts'
import { Timetable } from '../bridge/uplink/timetable.ts'
import { tempDirectory } from './helpers/sluice.ts'

async function write (t: TestContext, lines: readonly string[]): Promise<string> {
  const file = join(await tempDirectory(t), 'sluice.yaml')
  await writeFile(file, ['uplink:', '  timeZone: UTC', '  schedule:', ...lines.map((line) => `    - ${line}`)].join('\n'))
  return file
}

async function problems (t: TestContext, lines: readonly string[]): Promise<readonly string[]> {
  const file = await write(t, lines)
  try {
    readConfig({ file })
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, message }) => `${path} ${message}`)
    throw error
  }
  return []
}

test('a timetable is a list in a file and a line in the environment, and both mean the same', async (t) => {
  const file = await write(t, [
    '{ days: mon-fri, from: 22:00, to: "06:00", share: 60% }',
    '{ days: [Sat, sun], from: "00:00", to: "24:00", share: off }',
    'fri-mon 12:00-13:00 6Mbit'
  ])
  const { schedule } = readConfig({ file }).uplink
  assert.deepEqual(schedule, [
    { days: [1, 2, 3, 4, 5], from: 1320, to: 360, limit: { kind: 'share', share: 0.6 } },
    { days: [6, 0], from: 0, to: 0, limit: { kind: 'off' } },
    { days: [1, 5, 6, 0], from: 720, to: 780, limit: { kind: 'rate', rate: 6e6 } }
  ])
  const env = { SLUICE_UPLINK_SCHEDULE: 'mon-fri 22:00-06:00 60%; sat,sun 00:00-24:00 off; fri-mon 12:00-13:00 6Mbit' }
  assert.deepEqual(readConfig({ env }).uplink.schedule, schedule)
})

test('what is printed of a timetable can be read again', async (t) => {
  const file = await write(t, ['all 00:00-05:30 60%', 'sat,sun 20:00-02:00 off', 'mon 12:00-13:00 6Mbit'])
  const printed = describeConfig({ file }).find(({ path }) => path === 'uplink.schedule')?.value
  const again = join(await tempDirectory(t), 'again.yaml')
  await writeFile(again, JSON.stringify({ uplink: { schedule: printed } })) // JSON is YAML
  assert.deepEqual(readConfig({ file: again }).uplink.schedule, readConfig({ file }).uplink.schedule)
})

test('each entry that cannot be read is told with its place, all of them at once', async (t) => {
  const all = 'days: all, from: "00:00", to: "24:00"'
  const found = await problems(t, [
    '{ days: mon-fry, from: "22:00", to: "06:00", share: 60% }', '{ days: all, from: "24:00", to: "06:00", share: 60% }',
    '{ days: all, from: "22:00", share: 60% }', `{ ${all} }`, `{ ${all}, share: 160% }`, `{ ${all}, rate: 6 }`,
    `{ ${all}, share: 60%, rate: 6Mbit }`, `{ ${all}, speed: 6Mbit }`, `{ ${all}, off: false }`, 'mon 22:00 60%', '7'
  ])
  const expected = [
    '[0].days is no day of the week', '[1].from is not a time of the day', '[2].to is not a time of the day',
    '[3] needs one of share, rate and off', '[4].share is too large', '[5].rate is not a rate', '[6] needs one of',
    '[7].speed is unknown', '[8].off can only be true', '[9] is not an entry', '[10] is not an entry'
  ]
  assert.equal(found.length, expected.length, found.join('\n'))
  for (const [at, words] of expected.entries()) assert.ok(found[at]?.startsWith(`uplink.schedule${words}`), found[at])
})

test('an entry that can never hold, one wider than the line, and one too thin to send on are refused', async (t) => {
  assert.deepEqual((await problems(t, ['mon-fri 22:00-06:00 60%', 'tue 23:00-02:00 off'])).length, 1)
  assert.match((await problems(t, ['mon 22:00-06:00 60%', 'tue 00:00-02:00 off']))[0] ?? '', /^uplink\.schedule\[1\] never holds/)
  assert.match((await problems(t, ['mon 22:00-06:00 1Gbit']))[0] ?? '', /is more than uplink\.capacity; write 200Mbit or less/)
  assert.match((await problems(t, ['mon 22:00-06:00 1kbit']))[0] ?? '', /comes to less than 8kbit/)
  assert.deepEqual(await problems(t, ['sat 00:00-24:00 off', 'all 22:00-06:00 60%']), [])
})

test('a time zone that nobody knows is refused, and without one that of the machine holds', () => {
  assert.throws(() => readConfig({ env: { SLUICE_UPLINK_TIME_ZONE: 'Europe/Berlinn' } }), /"Europe\/Berlinn" is not a time zone known here/)
  assert.equal(readConfig({}).uplink.timeZone, Intl.DateTimeFormat().resolvedOptions().timeZone)
})

test('a share of the timetable and the same as a rate come to the same allowance, overhead taken off', () => {
  const env = { SLUICE_UPLINK_SCHEDULE: 'mon 00:00-12:00 3%; mon 12:00-24:00 6Mbit; tue 00:00-24:00 off', SLUICE_UPLINK_TIME_ZONE: 'UTC' }
  const week = new Timetable(timetable(readConfig({ env }).uplink))
  const rates = ['23T06', '23T18', '24T06', '25T06'].map((hour) => week.at(Date.parse(`2026-11-${hour}:00:00Z`)).bytesPerSecond)
  assert.deepEqual(rates, [712_500, 712_500, 0, 4_750_000])
})
