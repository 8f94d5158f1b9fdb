import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { runProgram } from '../device-sim/cli/program.ts'
import { startMetrics } from '../device-sim/report/metrics.ts'
import type { Progress } from '../device-sim/report/report.ts'
import { createStoreControl } from '../device-sim/judge/store-control.ts'
import { runUplink } from '../device-sim/run/uplink.ts'
import { eventually } from './helpers/eventually.ts'
import { bucket, makeFolder } from './helpers/local-store.ts'
import { startPlainBroker } from './helpers/plain-broker.ts'
import { runSimulator, simulate } from './helpers/simulate.ts'

const SLUICE = join(import.meta.dirname, '../bridge/sluice')

interface Access {
  readonly endpoint: string
  readonly control: string
  readonly file: string
}

// Side by side: they mostly wait.
void describe('a run that is watched', { concurrency: true }, () => {
  test('on a terminal a run is drawn once a second, and its keys turn it', async (t) => {
    const { port } = await startPlainBroker(t)
    const screens: string[] = []
    let press: (key: string) => void = () => {}
    const code = await runProgram(['-p', String(port), '-c', '10', '--rate', '4/s', '-s', '16KB', '-d', '60s',
      '--threshold', 'puback_p99<20s', '--threshold', 'acknowledged>9999'], {
      print: () => {},
      tell: () => {},
      env: {},
      terminal: {
        draw (lines) {
          screens.push(lines.join('\n'))
          if (screens.length === 1) press('+')
          if (screens.length === 2) press('f')
        },
        onKey (listener) {
          press = listener
          return () => { press = () => { throw new Error('a key after the end') } }
        }
      }
    }, new AbortController().signal)
    assert.match(screens[0] ?? '', /^run to 127\.0\.0\.1:\d+, 1 s, run\ndevices {6}10 connected/)
    assert.match(screens[1] ?? '', /devices {6}11 connected/)
    assert.match(screens[0] ?? '', /puback_p99<20s: holds so far\nthreshold {4}acknowledged>9999: does not hold so far\nkeys/)
    assert.ok(screens.length <= 5)
    assert.throws(() => { press('f') }, /after the end/)
    assert.equal(code, 99)
  })

  test('without a terminal a run is one line of key=value a second', async (t) => {
    const { port } = await startPlainBroker(t)
    const { stderr } = await runSimulator(['-p', String(port), '-c', '2', '--rate', '4/s', '-s', '16KB', '-d', '1100ms'])
    for (const line of stderr.split('\n')) assert.match(line, /^(?:[a-z_0-9]+=[^ =]+ ?)+$/)
    assert.match(stderr, /^t=1s phase=run connected=2 captured=\d+ sent=\d+ acked=\d+ unfinished=\d+ dropped=0 /)
  })

  test('Prometheus reads how a run stands', async (t) => {
    const { port } = await startPlainBroker(t)
    const metrics = await startMetrics('0')
    t.after(() => { metrics.close() })
    const last: Progress[] = []
    await simulate({ port }, { progress: (progress) => { last.push(progress) }, stored: () => 7 })
    for (const progress of last) metrics.record(progress)
    const text = await (await fetch(`http://127.0.0.1:${metrics.port}/metrics`)).text()
    assert.match(text, /^simulator_images\{state="acknowledged"\} 12$/m)
    assert.match(text, /^simulator_devices_connected 3$/m)
    assert.match(text, /^simulator_objects_stored 7$/m)
    assert.match(text, /^simulator_puback_seconds\{quantile="0.99"\} \d+\.\d+$/m)
    await assert.rejects(startMetrics('65536'), { code: 'USAGE' })
  })

  test('the store command serves a bucket whose faults are turned from outside', async (t) => {
    const { endpoint, control, file } = await startStore(t)
    const put = async (knobs: unknown): Promise<number> =>
      (await fetch(`${control}/faults`, { method: 'PUT', body: JSON.stringify(knobs) })).status
    const access = JSON.parse(await readFile(file, 'utf8')) as Record<string, string>
    assert.deepEqual([access['endpoint'], access['bucket'], access['control']], [endpoint, bucket, control])
    assert.equal((await fetch(endpoint)).status, 403) // it wants a signature, and so it is there
    assert.equal(await put({ outage: true }), 200)
    await assert.rejects(fetch(endpoint))
    assert.equal(await put({ outage: false, latencyMs: 300 }), 200)
    const startedAt = performance.now()
    await fetch(endpoint)
    assert.ok(performance.now() - startedAt >= 290)
    assert.deepEqual([await put({ colour: 1 }), await put({ errorRate: 2 }), await put(null)], [400, 400, 200])
  })

  test('the line to the store is turned when the scenario says, and an outage ends with the run', async (t) => {
    const { endpoint, control } = await startStore(t)
    const isUp = async (): Promise<boolean> => await fetch(endpoint).then(() => true, () => false)
    const stop = new AbortController()
    const uplink = { rate: 1e6, events: [{ at: 200, for: 300, outage: true }, { at: 1000, for: 60_000, outage: true }] }
    const running = runUplink(uplink, { control: createStoreControl(control) }, stop.signal)
    assert.equal(await isUp(), true)
    await eventually(async () => !await isUp())
    await eventually(isUp)
    await eventually(async () => !await isUp())
    stop.abort()
    await running
    assert.equal(await isUp(), true)
  })

  test('a run that turns the line leaves it as it was, also where an earlier one left the store away', async (t) => {
    const { endpoint, control, file } = await startStore(t)
    const { port } = await startPlainBroker(t)
    const turn = async (knobs: object): Promise<Response> =>
      await fetch(`${control}/faults`, { method: 'PUT', body: JSON.stringify(knobs) })
    await turn({ bytesPerSecond: 2e6, latencyMs: 5, outage: true })
    const { code, stderr } = await runSimulator(['-p', String(port), '-c', '1', '-L', '1', '--rate', '4/s', '-s', '16KB',
      '--uplink', '8Mbit,latency=1ms', '--s3-file', file, '--quiet'])
    assert.equal(code, 0, stderr)
    const { knobs } = await (await fetch(`${control}/faults`)).json() as { knobs: object }
    assert.deepEqual(knobs, { bytesPerSecond: 2e6, latencyMs: 5, errorRate: 0, stall: false, outage: false })
    assert.equal((await fetch(endpoint)).status, 403)
  })

  test('a key takes the store away, and the end of the run brings it back', async (t) => {
    const { endpoint, file } = await startStore(t)
    const { port } = await startPlainBroker(t)
    const isUp = async (): Promise<boolean> => await fetch(endpoint).then(() => true, () => false)
    let [screens, wasAway] = [0, false]
    let press: (key: string) => void = () => {}
    const code = await runProgram(['-p', String(port), '-c', '1', '-L', '8', '--rate', '2/s', '-s', '16KB', '--uplink', '8Mbit',
      '--s3-file', file], {
      print: () => {},
      tell: () => {},
      env: {},
      terminal: {
        draw () {
          if (++screens === 1) press('o')
          else void isUp().then((up) => { wasAway ||= !up })
        },
        onKey (listener) {
          press = listener
          return () => {}
        }
      }
    }, new AbortController().signal)
    assert.deepEqual([code, wasAway, await isUp()], [0, true, true])
  })

  test('the store command turns its own line as its flags say, and takes itself away when they say', async (t) => {
    const dir = await makeFolder(t)
    const stop = new AbortController()
    const running = runSimulator(['store', '--listen', '127.0.0.1:0', '--dir', dir, '--bandwidth', '8Mbit', '--latency', '20ms',
      '--errors', '100%', '--outage', '1s+1s'], stop.signal)
    t.after(async () => {
      stop.abort()
      await running
    })
    const { endpoint, control } = await eventually(async () => {
      const text = await readFile(join(dir, 'local-store.json'), 'utf8').catch(() => '{}')
      const access = JSON.parse(text) as Access
      return access.control === undefined ? undefined : access
    }, { timeoutMs: 20_000, what: 'the start of the store' })
    const isUp = async (): Promise<boolean> => await fetch(endpoint).then(() => true, () => false)
    await eventually(async () => !await isUp(), { what: 'the outage' })
    await eventually(isUp, { what: 'the end of the outage' })
    const { knobs } = await (await fetch(`${control}/faults`)).json() as { knobs: object }
    assert.deepEqual(knobs, { bytesPerSecond: 1e6, latencyMs: 20, errorRate: 1, outage: false })
    stop.abort()
    const { code, stdout } = await running
    assert.match(stdout, /^store {8}http:\S+, bucket images, .*\naccess .*\ncontrol .*\/faults\nservice .*s3\.endpoint/)
    assert.match(stdout, /\nsimulator .*--s3-file /)
    assert.equal(code, 0)
  })

  test('a scenario that turns the line of a store that is gone is one sentence', async (t) => {
    const { port } = await startPlainBroker(t)
    const { code, stderr } = await runSimulator(['-p', String(port), '-c', '1', '-L', '1', '--rate', '4/s', '-s', '16KB', '--uplink', '1Mbit',
      '--s3-endpoint', 'http://127.0.0.1:9', '--s3-bucket', bucket, '--store-control', 'http://127.0.0.1:9'])
    assert.match(stderr, /the store's control at http:\/\/127\.0\.0\.1:9 does not answer/)
    assert.equal(code, 69)
  })
})

/** The store alone, as `sluice store` starts it. */
async function startStore (t: TestContext): Promise<Access> {
  const dir = await makeFolder(t)
  const child = spawn(SLUICE, ['store', '--listen', '127.0.0.1:0', '--dir', dir], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => { said += String(chunk) })
  const closed = once(child, 'close')
  t.after(async () => {
    child.kill('SIGTERM')
    await closed
  })
  return await eventually(() => {
    const match = /store +(\S+), [^]*in (\S+\.json)\ncontrol +(\S+)\/faults\n/.exec(said)
    return match === null ? undefined : { endpoint: match[1] ?? '', file: match[2] ?? '', control: match[3] ?? '' }
  }, { timeoutMs: 20_000, what: 'the start of the store' })
}
