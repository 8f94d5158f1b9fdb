import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { parseDeviceTopic } from '../broker/topics.ts'
import type { Verdict } from '../device-sim/judge/inspection.ts'
import { readRun } from '../device-sim/judge/manifest.ts'
import type { Report } from '../device-sim/report/report.ts'
import { eventually } from './helpers/eventually.ts'
import { bucket, credentials, makeFolder, startTestStore, type TestStore } from './helpers/local-store.ts'
import { startPlainBroker, type Publication } from './helpers/plain-broker.ts'
import { runSimulator, spawnSimulator } from './helpers/simulate.ts'

const small = ['-c', '3', '-L', '12', '--rate', '20/s', '-s', '16KB', '--verify-timeout', '2s', '--quiet']

// Side by side: they mostly wait.
void describe('the command of the simulator', { concurrency: true }, () => {
  test('the command exits with 99 where images are lost, doubled and damaged between broker and store, and counts them', async (t) => {
    const store = await startTestStore(t)
    const { port } = await startPlainBroker(t, createPath(store.client, true))
    const flags = ['--port', String(port), ...await storeFlags(store), ...small, '--json']
    const { code, stdout } = await spawnSimulator(flags, store.dir)
    const { verdict } = JSON.parse(stdout) as { verdict: Verdict }
    assert.deepEqual(countsOf(verdict), { lost: 1, duplicated: 1, corrupted: 1, unexpected: 0, found: 10 })
    assert.equal(code, 99)
  })

  test('the command exits with 0 where every image gets from broker to store, and says so first', async (t) => {
    const store = await startTestStore(t)
    const { port } = await startPlainBroker(t, createPath(store.client, false))
    const { code, stdout } = await runSimulator(['run', '-p', String(port), ...await storeFlags(store), ...small,
      '--threshold', 'lost==0', '--threshold', 'e2e_p99<1m', '--run-file', join(store.dir, 'run.json')])
    assert.match(stdout, /(?:^|\n)thresholds {3}held {5}lost==0 +0\n +held {5}e2e_p99<1m +[\d.]+ ms\nrun .*\ndelivery /)
    assert.match(stdout, /\ndelivery .*PUBACKed 12,/)
    assert.match(stdout, /held: 12 of 12[^]*lost 0, duplicated 0, corrupted 0, unexpected 0, foreign 0/)
    assert.equal(code, 0)
  })

  test('a threshold that does not hold ends with 99, though nothing is lost', async (t) => {
    const { port } = await startPlainBroker(t)
    const { code, stdout } = await runSimulator(['-p', String(port), ...small, '--threshold', 'acknowledged>1000'])
    assert.match(stdout, /thresholds {3}NOT held acknowledged>1000 +12\n/)
    assert.equal(code, 99)
  })

  test('bad input is one clear sentence and the exit code that goes with it', async (t) => {
    const dir = await makeFolder(t)
    const wrong = join(dir, 'wrong.yaml')
    await writeFile(wrong, 'duration: soon\ndevices: { count: many, colour: red }\n')
    await mkdir(join(dir, 'folder.jpg'))
    const cases: ReadonlyArray<readonly [number, RegExp, ...string[]]> = [
      [64, /^there is no preset "smok"; there are smoke, steady, /, 'run', 'smok'],
      [64, /^--mqtt-version: these devices speak MQTT 3\.1\.1 only; .*, got "5"$/, '-V', '5'],
      [64, /^--host: .* is not on this machine[^]*--allow-remote/, '-h', '192.0.2.7'],
      [64, /--allow-remote/, '--verify', '--s3-endpoint', 'http://192.0.2.1', '--s3-bucket', 'images'],
      [64, /^--threshold lost==0 is about what is in the store; add --verify$/, '--threshold', 'lost==0'],
      [64, /^site turns the line to the store, and this store cannot be turned/, 'run', 'site', '--s3-endpoint', 'http://127.0.0.1:9', '--s3-bucket', 'images'],
      [64, /^there is no preset "constructor"; there are smoke, /, 'presets', 'constructor'],
      [64, /^there is no preset "constructor"; there are smoke, /, 'run', 'constructor'],
      [64, /^--threshold lost==0 is about what is in the store; add --verify$/, 'run', '--threshold', 'lost==0', 'smoke'],
      [64, /^there is no \.jpg, \.jpeg or \.png in /, '--images', dir, '-p', '0'],
      [64, /cannot be written/, '--out', join(dir, 'none/report.json')],
      [64, /is not what --run-file writes/, 'verify', '--run', wrong],
      [69, /^no MQTT broker answers at 127\.0\.0\.1:9 /, '-p', '9'],
      [78, /wrong\.yaml: devices\[0\]\.count: .*\n.*colour: there is no such setting here.*got "red"\n.*duration: wanted a time .*got "soon"/, 'run', wrong]
    ]
    for (const [code, sentence, ...args] of cases) {
      const port = args.includes('0') ? ['-p', String((await startPlainBroker(t)).port)] : []
      const ended = await runSimulator([...args.filter((arg) => arg !== '0' && !(port.length > 0 && arg === '-p')), ...port])
      assert.equal(ended.code, code, ended.stderr)
      assert.match(ended.stderr, sentence)
    }
  })

  test('a run that cannot begin ends, also where Prometheus was to read it', async (t) => {
    const { port } = await startPlainBroker(t)
    const { code, stderr } = await spawnSimulator(['-p', String(port), ...small, '--metrics-port', '0', '--uplink', '1Mbit',
      '--s3-endpoint', 'http://127.0.0.1:9', '--s3-bucket', bucket, '--store-control', 'http://127.0.0.1:9'])
    assert.match(stderr, /^the store's control at http:\/\/127\.0\.0\.1:9 does not answer [^\n]*\n$/)
    assert.equal(code, 69)
  })

  test('a run that gets a SIGINT prints its report and exits with 130', async (t) => {
    const { port } = await startPlainBroker(t)
    const main = join(import.meta.dirname, '../device-sim/main.ts')
    const child = spawn(process.execPath, ['--import', 'tsx', main, '-p', String(port), '-c', '2', '--rate', '20/s', '-s', '16KB', '-d', '60s',
      '--threshold', 'lost==0', '--verify', ...await storeFlags(await startTestStore(t))], { stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text })
    child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
    const closed = once(child, 'close')
    await eventually(() => /acked=[1-9]/.test(stderr), { timeoutMs: 20_000, what: 'the first PUBACKs' })
    child.kill('SIGINT')
    assert.deepEqual(await closed, [130, null])
    assert.match(stdout, /^(?:results are not valid.*\n)?thresholds {3}NOT held lost==0 +not measured\n/)
    assert.match(stdout, /\nrun .*, interrupted; /)
    assert.match(stdout, /\ndelivery {5}planned \d+, captured [1-9]/)
  })

  test('a store that goes away while it runs costs the verdict, and not the report', async (t) => {
    const store = await startTestStore(t)
    const { port } = await startPlainBroker(t, async () => { await store.faults.set({ outage: true }) })
    const [json, html] = [join(store.dir, 'report.json'), join(store.dir, 'report.html')]
    const { code, stdout, stderr } = await runSimulator(['-p', String(port), ...small, ...await storeFlags(store),
      '--run-file', join(store.dir, 'run.json'), '--out', json, '--html', html])
    assert.match(stdout, /\ndelivery .*PUBACKed 12,[^]*\nhint +What became of the images is not known: the bucket /)
    assert.match(await readFile(html, 'utf8'), /NOT held/)
    assert.match((JSON.parse(await readFile(json, 'utf8')) as { notJudged: string }).notJudged, /cannot be listed/)
    assert.match(stderr, /cannot be listed \(/)
    assert.equal(code, 69)
  })

  test('a run file is judged later, also where the simulator was killed while it ran', async (t) => {
    const store = await startTestStore(t)
    const { port } = await startPlainBroker(t, createPath(store.client, true))
    const file = join(store.dir, 'run.json')
    const main = join(import.meta.dirname, '../device-sim/main.ts')
    const child = spawn(process.execPath, ['--import', 'tsx', main, '-p', String(port), '--verify', ...await storeFlags(store),
      '-c', '3', '--rate', '20/s', '-s', '16KB', '-d', '60s', '--warmup', '500ms', '--quiet', '--run-file', file], { stdio: 'ignore' })
    const countAcked = async (): Promise<number> =>
      (await readFile(file.replace('.json', '.jsonl'), 'utf8').catch(() => '')).split('acked').length - 1
    await eventually(async () => await countAcked() >= 20, { timeoutMs: 20_000 })
    child.kill('SIGKILL')
    await once(child, 'close')
    const { evidence, file: { startedAt } } = await readRun(file)
    assert.ok(evidence.measuredFrom >= startedAt + 500, 'a run file keeps the warm-up')
    const { code, stdout } = await runSimulator(['verify', '--run', file, '--verify-timeout', '1s', '--json'])
    const verdict = JSON.parse(stdout) as Verdict
    assert.ok(evidence.acknowledged.length >= 20)
    const faults = { lost: 1, duplicated: 1, corrupted: 1, unexpected: 0 }
    assert.deepEqual(countsOf(verdict), { ...faults, found: verdict.acknowledged - 2 })
    assert.equal(code, 99)
  })

  test('the report is written as JSON and as CSV, and its options are saved and read again', async (t) => {
    const dir = await makeFolder(t)
    const { port } = await startPlainBroker(t)
    const [json, csv, options] = [join(dir, 'report.json'), join(dir, 'report.csv'), join(dir, 'options.yaml')]
    await runSimulator(['-p', String(port), ...small, '--out', json, '-P', 'secret', '-u', 'me', '--save-options', options])
    const saved = await readFile(options, 'utf8')
    const { code } = await runSimulator(['--load-options', options, '--out', csv])
    assert.equal(code, 0)
    assert.doesNotMatch(saved, /secret/)
    assert.equal((JSON.parse(await readFile(json, 'utf8')) as Report).counts.acknowledged, 12)
    assert.match(await readFile(csv, 'utf8'), /^seconds,connected,captured,acknowledged,unfinished,stored,p50,p99\r\n(?:.*\r\n)*[\d.]+,3,12,12,0,,/)
  })

  test('saved options keep no password and say only what was given, and go before defaults', async (t) => {
    const dir = await makeFolder(t)
    const { port } = await startPlainBroker(t)
    const options = join(dir, 'options.yaml')
    const given = ['--url', `mqtt://me:secret@127.0.0.1:${port}`, '--no-ids', '--verify-timeout', 'soon', '--save-options', options]
    await runSimulator(given)
    const saved = await readFile(options, 'utf8')
    assert.equal(saved, `ids: false\nurl: mqtt://me@127.0.0.1:${port}\nverifyTimeout: soon\n`)
    const { code, stderr } = await runSimulator(['--load-options', options])
    assert.match(stderr, /^--verify-timeout: wanted a time such as 5m, got "soon"$/)
    assert.equal(code, 64)
  })
})

function countsOf (verdict: Verdict): Record<string, number> {
  const { lost, duplicated, corrupted, unexpected, found } = verdict
  const faults = { lost: lost.count, duplicated: duplicated.count, corrupted: corrupted.count }
  return { ...faults, unexpected: unexpected.count, found }
}

async function storeFlags ({ dir, endpoint }: TestStore): Promise<readonly string[]> {
  const file = join(dir, 'local-store.json')
  await writeFile(file, JSON.stringify({ endpoint, bucket, ...credentials }))
  return ['--verify', '--s3-file', file]
}

// A path from the broker to the store, of the kind the judge is there for: of the first device's images
// the first is lost, the second doubled and the third damaged.
function createPath (client: S3Client, isFaulty: boolean): (publication: Publication) => Promise<void> {
  const put = async (key: string, body: Buffer): Promise<void> => {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }))
  }
  return async ({ topic, payload }) => {
    const name = parseDeviceTopic(topic, 'devices')
    if (name?.kind !== 'image') return
    const key = `images/${name.deviceId}/${name.imageId}`
    const number = Number(/\d+$/.exec(name.imageId ?? '')?.[0])
    const fault = isFaulty && name.deviceId === 'sim-0001' ? number : undefined
    if (fault === 1) return
    if (fault === 2) await put(`${key}-again`, payload)
    if (fault === 3) payload.writeUInt8(payload.readUInt8(9000) ^ 1, 9000)
    await put(key, payload)
  }
}
