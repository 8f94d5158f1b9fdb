// Devices spread over processes: what becomes of a run when one of them, or the one that counts, dies.

import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { readRun } from '../device-sim/judge/manifest.ts'
import { eventually } from './helpers/eventually.ts'
import { makeFolder } from './helpers/local-store.ts'
import { startPlainBroker } from './helpers/plain-broker.ts'
import { runSimulator } from './helpers/simulate.ts'

const MAIN = join(import.meta.dirname, '../device-sim/main.ts')

// Side by side: they mostly wait.
void describe('devices spread over processes', { concurrency: true }, () => {
  test('a run whose counting process is killed knows every image that a worker has sent', async (t) => {
    const received: string[] = []
    const { port } = await startPlainBroker(t, ({ payload }) => { received.push(sha256(payload)) })
    const file = join(await makeFolder(t), 'run.json')
    const { child, stderr } = spawnRun(['-p', String(port), '-c', '6', '--rate', '30/s', '-s', '16KB', '-d', '60s', '--workers', '2', '--run-file', file])
    await eventually(() => received.length >= 100, { timeoutMs: 20_000, what: 'the first images' })
    child.kill('SIGKILL')
    await once(child, 'close') // of its workers, too: they share its output
    assert.equal(stderr(), '')
    const { evidence: { acknowledged, unacknowledged } } = await readRun(file)
    const known = new Set([...acknowledged.map((image) => image.sha256), ...unacknowledged.keys()])
    assert.deepEqual(received.filter((image) => !known.has(image)), [])
    assert.ok(acknowledged.length >= 50, `${acknowledged.length} of ${received.length}`)
  })

  test('a worker that dies ends the run, which says so first, prints its report and exits with 70', async (t) => {
    let received = 0
    const { port } = await startPlainBroker(t, () => { received++ })
    const { child, stdout } = spawnRun(['-p', String(port), '-c', '6', '--rate', '20/s', '-s', '16KB', '-d', '20s', '--workers', '2'])
    const closed = once(child, 'close')
    await eventually(() => received >= 20, { timeoutMs: 15_000, what: 'the first images' })
    const [, second = 0] = await listWorkers(child.pid)
    process.kill(second, 'SIGKILL')
    assert.deepEqual(await closed, [70, null])
    assert.match(stdout(), new RegExp(`^results are not valid: worker 2 of 2 \\(process ${second}\\) ended with SIGKILL, and its devices with it; .*\\n`))
    assert.match(stdout(), /\ndelivery {5}planned \d+, captured \d+/)
  })

  test('what a worker cannot begin with is one sentence, as it is without workers', async (t) => {
    const { port } = await startPlainBroker(t)
    const dir = await makeFolder(t)
    const { code, stderr } = await runSimulator(['-p', String(port), '-c', '4', '--workers', '2', '--images', dir])
    assert.match(stderr, /^there is no \.jpg, \.jpeg or \.png in [^\n]*$/)
    assert.equal(code, 64)
  })
})

interface SpawnedRun {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
}

function spawnRun (args: readonly string[]): SpawnedRun {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, 'run', '--quiet', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
  return { child, stdout: () => stdout, stderr: () => stderr }
}

/** In the order in which they were started. Linux: proc(5). */
async function listWorkers (pid: number | undefined): Promise<readonly number[]> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter((each) => each !== '')
  const commands = await Promise.all(children.map((each) => readFile(`/proc/${each}/cmdline`, 'utf8')))
  return children.filter((_, at) => commands[at]?.includes('fleet-process')).map(Number)
}

function sha256 (bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
