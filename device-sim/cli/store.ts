// The local store alone: started through Sluice's own public command, because the simulator imports nothing of it.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { SimulatorError } from '../errors.ts'
import { createStoreControl } from '../judge/store-control.ts'
import { runUplink } from '../run/uplink.ts'
import { readScenario } from '../scenario/read-scenario.ts'
import { EXIT, type ExitCode, type Shell } from './exit.ts'

const START_MS_MAX = 30_000
/** What it is doing then may end for so long after it was asked to. */
const STOP_MS_MAX = 5_000

/** Runs until the signal, or until the store ends by itself. */
export async function serveStore (
  flags: Readonly<Record<string, string>>, { print, tell }: Shell, signal: AbortSignal
): Promise<ExitCode> {
  const { bandwidth, latency, errors, outage, listen = '', dir = '' } = flags
  const { uplink } = readScenario({
    flags: { uplink: { rate: bandwidth, latency, errors, outage } },
    flagNames: new Map([['uplink.rate', '--bandwidth'], ['uplink.outage', '--outage'],
      ['uplink.latency', '--latency'], ['uplink.errors', '--errors']])
  })
  const child = spawn(findSluice(import.meta.dirname), ['store', '--listen', listen, '--dir', dir],
    { stdio: ['ignore', 'pipe', 'inherit'] })
  const stop = (): void => {
    child.kill('SIGTERM')
    setTimeout(() => { child.kill('SIGKILL') }, STOP_MS_MAX).unref()
  }
  signal.addEventListener('abort', stop)
  const ended = once(child, 'close').then(([code]) => code as number | null)
  let said = ''
  const control = new Promise<string>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const url = /^control +(\S+)\/faults\n/m.exec(said)?.[1]
      if (url !== undefined) resolve(url)
    })
  })
  const url = await Promise.race([control, ended, once(AbortSignal.timeout(START_MS_MAX), 'abort')])
  if (typeof url !== 'string') {
    child.kill('SIGKILL')
    throw new SimulatorError('UNAVAILABLE', `the store in ${dir} did not start: ${said.trim() || 'it said nothing in 30 s'}`)
  }
  print(said.trimEnd())
  print(explain(dir))
  if (uplink !== undefined) {
    await runUplink(uplink, { control: createStoreControl(url) }, signal)
      .catch((cause: unknown) => { tell(String(cause)) })
  }
  await ended
  return EXIT.ok
}

function explain (dir: string): string {
  const file = join(dir, 'local-store.json')
  return `service      point one at it with s3.endpoint, s3.bucket and the keys in ${file}\n` +
    `simulator    npm run simulate -- run outage --verify --s3-file ${file}`
}

/** The command stands beside package.json, one folder further up once this file is compiled. */
function findSluice (directory: string): string {
  const command = join(directory, 'bridge', 'sluice')
  if (existsSync(command)) return command
  const parent = dirname(directory)
  if (parent === directory) throw new SimulatorError('UNAVAILABLE', 'bridge/sluice was not found; run this from a checkout')
  return findSluice(parent)
}
