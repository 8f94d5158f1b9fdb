import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createRandom } from '../device-sim/random.ts'
import { checkDescriptors, explainNoStart } from '../device-sim/run/descriptors.ts'
import { sizesOf } from '../device-sim/scenario/distribution.ts'
import { loadScenario } from '../device-sim/scenario/load-file.ts'
import { arrivals, createWarp } from '../device-sim/scenario/plan.ts'
import { PRESETS } from '../device-sim/scenario/presets.ts'
import { readScenario } from '../device-sim/scenario/read-scenario.ts'
import type { Group } from '../device-sim/scenario/scenario.ts'
import { holds, parseThreshold } from '../device-sim/scenario/threshold.ts'
import { makeFolder } from './helpers/local-store.ts'
import { runSimulator } from './helpers/simulate.ts'

test('all that is wrong with a scenario is said at once, each with its place and its value', () => {
  const tree = {
    port: 0,
    duration: 'soon',
    colour: 'red',
    qos: 0,
    devices: [{ count: 'many', inflight: 0, size: '10' }, { rate: '2', arrival: 'never' }],
    thresholds: ['e2e_p42<1s']
  }
  const said = [
    /site\.yaml: port: .*got 0/, /devices\[0\]\.count: .*got "many"/, /devices\[0\]\.inflight: .*got 0/,
    /devices\[0\]\.size: .*got "10"/, /qos: .*QoS 1 only.*got 0/,
    /devices\[1\]\.rate: .*got "2"/, /devices\[1\]\.arrival: /, /duration: .*got "soon"/,
    /thresholds\[0\]: .*got "e2e_p42<1s"/,
    /site\.yaml: colour: there is no such setting here, only name, about, .*got "red"/
  ]
  for (const message of said) {
    assert.throws(() => readScenario({ file: { name: 'site.yaml', tree } }), { code: 'CONFIG', message })
  }
})

test('what is wrong between right parts is said at once too', () => {
  const flags = {
    host: 'broker.example',
    mqttVersion: '5',
    qos: '2',
    topicPrefix: 'a/#',
    devices: { prefix: 'a b', size: '100', backoff: { first: '1h' }, rate: '1/s', interval: '10' }
  }
  const places = ['mqttVersion', 'qos', 'topicPrefix', 'host', 'interval', 'prefix', 'size', 'backoff']
  for (const place of places) {
    assert.throws(() => readScenario({ flags }), { code: 'USAGE', message: new RegExp(`\\b${place}\\b.*: `) })
  }
})

test('a target beyond this machine is refused unless it is allowed', () => {
  for (const host of ['192.0.2.7', 'broker.example', '127.0.0.1.example']) {
    assert.throws(() => readScenario({ flags: { host } }), { code: 'USAGE', message: /--allow-remote/ })
    assert.equal(readScenario({ flags: { host, allowRemote: true } }).target.host, host)
  }
  assert.throws(() => readScenario({ flags: { url: 'mqtts://broker.example' } }), { message: /--allow-remote/ })
})

test('flags go before the file, are said of every group, and thresholds of both count', () => {
  const tree = { devices: [{ prefix: 'a-', count: 3 }, { prefix: 'b-' }], thresholds: ['lost==0'], seed: 4 }
  const flags = { devices: { count: '7', rate: '30/min' }, thresholds: ['dropped<1%'], port: '1999' }
  const { groups, thresholds, target, seed } = readScenario({ file: { name: 'f', tree }, flags })
  const said = groups.map(({ prefix, count, ratePerSecond }) => [prefix, count, ratePerSecond])
  assert.deepEqual(said, [['a-', 7, 0.5], ['b-', 7, 0.5]])
  assert.deepEqual(thresholds.map(({ text }) => text), ['lost==0', 'dropped<1%'])
  assert.deepEqual([target.port, seed], [1999, 4])
})

test('groups that would share device ids are refused', () => {
  const tree = { devices: [{ name: 'gate', count: 10 }, { name: 'yard', count: 10, start: 10 }] }
  assert.throws(() => readScenario({ file: { name: 'f', tree } }), { message: /yard and gate would share device ids/ })
  const apart = { devices: [{ count: 10 }, { count: 10, start: 11 }] }
  assert.equal(readScenario({ file: { name: 'f', tree: apart } }).groups.length, 2)
})

test('every preset is a valid scenario, and stays the same one printed as YAML and read again', async (t) => {
  const dir = await makeFolder(t)
  for (const name of Object.keys(PRESETS)) {
    const { stdout } = await runSimulator(['presets', name])
    const path = join(dir, `${name}.yaml`)
    await writeFile(path, stdout)
    assert.deepEqual(readScenario({ file: await loadScenario(path) }), readScenario({ file: await loadScenario(name) }))
  }
  const site = readScenario({ file: await loadScenario('site') })
  assert.deepEqual([site.groups[0]?.count, site.groups[0]?.ratePerSecond, site.uplink?.rate], [1000, 2 / 60, 5e6])
  const { stdout } = await runSimulator(['presets'])
  assert.equal(stdout.split('\n').length, Object.keys(PRESETS).length)
})

test('every preset has something that must hold, and lasts long enough for all it is about', async () => {
  for (const name of Object.keys(PRESETS)) {
    const scenario = readScenario({ file: await loadScenario(name) })
    const { groups: [group], durationMs, thresholds, uplink, stormMs = 0 } = scenario
    const { duplicateEvery = 1, corruptEvery = 1, oversizeEvery = 1, flap, ratePerSecond = 0 } = group ?? {}
    const images = ratePerSecond * durationMs / 1000
    const ends = uplink?.events.map((event) => event.at + event.for) ?? []
    assert.ok(thresholds.length > 0, name)
    assert.ok(Math.max(duplicateEvery, corruptEvery, oversizeEvery) <= images, `${name}: a device takes ${images} images`)
    assert.ok(Math.max(stormMs, flap?.every ?? 0, ...ends) < durationMs, name)
  }
})

test('devices that take their pictures together spread as their jitter says, and none before the start', () => {
  const firsts = Array.from({ length: 200 }, (_, seed) => takeTimes('synchronized', 1, seed, 0.1)[0] ?? 0)
  assert.ok(Math.min(...firsts) >= 0 && Math.max(...firsts) <= 200)
  assert.equal(firsts.filter((at) => at === 0).length, 0)
})

test('each command leads its help with examples', async () => {
  for (const args of [['--help'], ['run', '--help']]) {
    const { stdout, code } = await runSimulator(args)
    assert.match(stdout, /^[^]{0,120}Examples:\n {2}npm run simulate -- /)
    assert.equal(code, 0)
  }
})

test('a plan is fixed before the run: from the seed a phase for each device, then every interval', () => {
  const take = (seed: number): number[] => takeTimes('periodic', 10, seed)
  assert.deepEqual(take(1), take(1))
  assert.notDeepEqual(take(2), take(1))
  assert.notEqual(take(1)[0], take(2)[0])
  take(1).slice(1).forEach((time, index) => assert.ok(Math.abs(time - (take(1)[index] ?? 0) - 1000) <= 100))
})

test('each way to arrive keeps the rate, and spreads as it is named', () => {
  for (const arrival of ['periodic', 'uniform', 'poisson', 'synchronized'] as const) {
    const times = takeTimes(arrival, 2000, 3)
    assert.ok(Math.abs((times.at(-1) ?? 0) / 2_000_000 - 1) < 0.1, `${arrival}: ${times.at(-1)}`)
    assert.deepEqual(times.toSorted((a, b) => a - b), times)
  }
  const gaps = gapsOf(takeTimes('poisson', 2000, 3))
  const spread = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - 1000) ** 2, 0) / gaps.length)
  assert.ok(spread > 900 && spread < 1100, `the gaps of a Poisson process spread as much as they last: ${spread}`)
  const together = [4, 5].map((seed) => takeTimes('synchronized', 5, seed, 0))
  assert.deepEqual(together[0], together[1])
})

test('a phase of load 3 has three captures where one was, and a phase of load 0 none', () => {
  const warp = createWarp([
    { name: 'calm', forMs: 10_000, load: 1 }, { name: 'silence', forMs: 5_000, load: 0 }, { name: 'burst', forMs: 10_000, load: 3 }
  ])
  assert.deepEqual([0, 9_999, 10_000, 13_000, 39_997, 40_000].map(warp), [0, 9_999, 15_000, 16_000, 24_999, Infinity])
})

test('sizes have the mean and the spread of their distribution', () => {
  const sizes = sizesOf({ kind: 'normal', mean: 250_000, deviation: 40_000 })
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length
  const spread = Math.sqrt(sizes.reduce((sum, size) => sum + (size - mean) ** 2, 0) / sizes.length)
  assert.ok(Math.abs(mean - 250_000) < 5_000 && spread > 34_000 && spread < 42_000, `${mean} ± ${spread}`)
  assert.deepEqual([sizesOf({ kind: 'uniform', least: 0, most: 16_000 })[0], sizesOf({ kind: 'fixed', bytes: 9 })[0]], [500, 9])
})

test('a threshold is read as it is written, and foreign ones are not', () => {
  const threshold = parseThreshold('e2e_p99<10s')
  assert.deepEqual(threshold && [threshold.metric, threshold.limit], [{ kind: 'latency', of: 'e2e', point: 'p99' }, 10_000])
  const dropped = parseThreshold('dropped<=1%')
  assert.deepEqual(dropped && [holds(dropped, 0.01), holds(dropped, 0.02)], [true, false])
  assert.deepEqual(['e2e_p98<1s', 'lost<1s', 'e2e_p99<10', 'reconnects<1%', 'fun==0', 'lost'].map(parseThreshold),
    Array.from({ length: 6 }, () => undefined))
})

test('too few open files are one sentence before the first device connects', () => {
  assert.throws(() => checkDescriptors(5000, 1024), { code: 'USAGE', message: /^5000 devices need 5064 open files.* 1024; .*ulimit -n 5064/ })
  checkDescriptors(900, 1024)
  checkDescriptors(5000, undefined)
  assert.match(explainNoStart(64) ?? '', /needs 128 open files to start.* allows 64; .*ulimit -n/)
  assert.deepEqual([128, undefined].map(explainNoStart), [undefined, undefined])
})

test('a shell that allows too few open files even to load the simulator is told so, without a stack trace', async () => {
  const main = join(import.meta.dirname, '../device-sim/main.ts')
  const child = spawn('sh', ['-c', 'ulimit -n 64 && exec "$@"', 'sh', process.execPath, '--import', 'tsx', main, 'presets'])
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => { said += text })
  const [code] = await once(child, 'close') as [number]
  assert.match(said, /^the simulator needs 128 open files to start[^\n]*\n$/)
  assert.equal(code, 64)
})

test('an IPv6 address in a URL is connected to without its brackets', () => {
  assert.deepEqual(['mqtt://[::1]:1884', 'mqtt://127.0.0.1:1884'].map((url) => readScenario({ flags: { url } }).target.host),
    ['::1', '127.0.0.1'])
})

test('no time between two connections at the start is none, and no such time said is 2 ms', () => {
  const rates = ['0', '4', undefined].map((connectInterval) => readScenario({ flags: { connectInterval } }).connectsPerSecond)
  assert.deepEqual(rates, [Infinity, 250, 500])
})

test('a closed loop without a limit ends before its images fill the memory', () => {
  const { limit, durationMs } = readScenario({ flags: { model: 'closed', duration: '1000h' } })
  assert.deepEqual([limit, durationMs], [3_000_000, 3_600_000_000])
})

test('a URL that is none is refused without its password, and does not mean another broker', () => {
  const wanted = 'url: wanted a URL such as mqtt://127.0.0.1:1883 or mqtts://host, in which a % of a password is written %25, got '
  const cases = [
    ['mqtt://127.0.0.1:99999', '"mqtt://127.0.0.1:99999"'], ['mqtt://a b', '"mqtt://a b"'], ['127.0.0.1:1883', '"127.0.0.1:1883"'],
    ['mqtt://me:100%@127.0.0.1', '"mqtt://me:***@127.0.0.1"'], ['mqtt://me:a@b:c@host:x', '"mqtt://me:***@host:x"']
  ]
  for (const [url, got] of cases) {
    assert.throws(() => readScenario({ flags: { url } }), { code: 'USAGE', message: wanted + got })
  }
  const { host, port, username, password, isTls } = readScenario({ flags: { url: 'mqtts://me:100%25@127.0.0.2/' } }).target
  assert.deepEqual([host, port, username, password, isTls], ['127.0.0.2', 8883, 'me', '100%', true])
})

test('a flag that is wrong for every group is told once', () => {
  const [file, flagNames] = [{ name: 'x.yaml', tree: { devices: [{}, { prefix: 'b-' }] } }, new Map([['devices.count', '--count']])]
  assert.throws(() => readScenario({ file, flags: { devices: { count: 'nine' } }, flagNames }),
    { code: 'USAGE', message: '--count: wanted a whole number of 1 to 20000, got "nine"' })
})

test('a scenario that is no YAML is told line by line, and no settings in one sentence', async (t) => {
  const dir = await makeFolder(t)
  const path = join(dir, 'bad.yaml')
  const cases = [
    ['a: [', /bad\.yaml, line 1, column 5: not YAML: /],
    ['a: 1\na: 2\nb: c: d\n', /^.*bad\.yaml, line 2, column 1: not YAML: Map keys must be unique\n.*line 3, column 4: not YAML: Nested mappings [^\n]*$/],
    ['a: *none', /bad\.yaml is not YAML: Unresolved alias .*none/],
    ['- 1', /wanted settings by name/]
  ] as const
  for (const [text, sentence] of cases) {
    await writeFile(path, text)
    await assert.rejects(loadScenario(path), { code: 'CONFIG', message: sentence })
  }
  await assert.rejects(loadScenario(join(dir, 'none.yaml')), { code: 'USAGE', message: /cannot be read/ })
})

function takeTimes (arrival: Group['arrival'], count: number, seed: number, jitter = 0.05): number[] {
  const plan = arrivals({ arrival, jitter, ratePerSecond: 1 }, createRandom(seed))
  return Array.from({ length: count }, () => plan.next().value)
}

function gapsOf (times: readonly number[]): number[] {
  return times.slice(1).map((time, index) => time - (times[index] ?? 0))
}
