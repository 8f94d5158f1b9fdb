// Devices spread over processes: what becomes of a run when one of them, or the one that counts, dies.

import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { readRun } from '../device-sim/judge/manifest.ts'
import { eventually } from './helpers/eventually.ts'
import { makeFolder } from './helpers/local-store.ts'
import { startPlainBroker } from './helpers/plain-broker.ts'

const MAIN = join(import.meta.dirname, '../device-sim/main.ts')

// Side by side: they mostly wait.
void describe('devices spread over processes', { concurrency: true }, () => {
  test('a run whose counting process is killed knows every image that a worker has sent', async (t) => {
    const received: string[] = []
    const { port } = await startPlainBroker(t, ({ payload }) => { received.push(sha256(payload)) })
    const file = join(await makeFolder(t), 'run.json')
    const child = spawnRun(['-p', String(port), '-c', '6', '--rate', '30/s', '-s', '16KB', '-d', '60s', '--workers', '2', '--run-file', file])
    await eventually(() => received.length >= 100, { timeoutMs: 20_000, what: 'the first images' })
    child.kill('SIGKILL')
    await once(child, 'close') // of its workers, too: they share its output
    const { evidence: { acknowledged, unacknowledged } } = await readRun(file)
    const known = new Set([...acknowledged.map((image) => image.sha256), ...unacknowledged.keys()])
    assert.deepEqual(received.filter((image) => !known.has(image)), [])
    assert.ok(acknowledged.length >= 50, `${acknowledged.length} of ${received.length}`)
  })
})

function spawnRun (args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, 'run', '--quiet', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.resume()
  child.stderr.resume()
  return child
}

function sha256 (bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
