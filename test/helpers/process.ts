import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Status } from '../../bridge/status.ts'
import { eventually } from './eventually.ts'
import { startSluice, type Ended } from './sluice.ts'

export interface Service {
  readonly pid: number
  readonly mqttPort: number
  readonly url: string
  readonly dataDir: string
  /** The five lines of the start, and what came after. */
  stdout (): string
  stderr (): string
  /** What /api/v1/status says. */
  status (): Promise<Status>
  readonly ended: Promise<Ended>
  /** Sends the signal, and waits for the end. */
  kill (signal: NodeJS.Signals): Promise<Ended>
}

export interface ServiceOptions {
  /** Default: a directory of its own. */
  readonly dataDir?: string
  readonly env?: Readonly<Record<string, string>>
  readonly under?: readonly string[]
}

export function serviceEnv (dataDir: string, env: ServiceOptions['env'] = {}): Readonly<Record<string, string>> {
  return {
    SLUICE_DATA_DIR: dataDir, SLUICE_MQTT_LISTEN: '127.0.0.1:0', SLUICE_HTTP_LISTEN: '127.0.0.1:0', ...env
  }
}

/** The service as people start it, on free ports: resolves once it listens, rejects where it ends before. */
export async function startService (t: TestContext, options: ServiceOptions = {}): Promise<Service> {
  const outcome = await tryService(t, options)
  if ('code' in outcome) throw new Error(`the service ended with ${outcome.code}: ${outcome.stderr}`)
  return outcome
}

/** Resolves with its end where it ends before it listens. */
export async function tryService (t: TestContext, options: ServiceOptions = {}): Promise<Service | Ended> {
  const dataDir = options.dataDir ?? await mkdtemp(join(tmpdir(), 'sluice-data-'))
  const { env, under = [] } = options
  const running = await startSluice(t, ['serve'], { env: serviceEnv(dataDir, env), under })
  // Hooks run in the order in which they were given: by then this process is gone. End others on the same data first.
  if (options.dataDir === undefined) t.after(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }))
  let ended: Ended | undefined
  void running.ended.then((end) => { ended = end }) // never rejects
  const outcome = await eventually(() => readPorts(running.stdout()) ?? ended,
    { timeoutMs: 30_000, what: 'the five lines of a start' })
  if ('code' in outcome) return outcome
  const { pid = 0 } = running.process
  return {
    pid,
    ...outcome,
    dataDir,
    stdout: running.stdout,
    stderr: running.stderr,
    ended: running.ended,
    async status () {
      const response = await fetch(`${outcome.url}/api/v1/status`)
      if (!response.ok) throw new Error(`/api/v1/status answered ${response.status}: ${await response.text()}`)
      return await response.json() as Status
    },
    async kill (signal) {
      running.process.kill(signal)
      return await running.ended
    }
  }
}

function readPorts (stdout: string): { mqttPort: number, url: string } | undefined {
  const lines = stdout.split('\n')
  const port = /mqtt:\/\/127\.0\.0\.1:(\d+) /.exec(lines[0] ?? '')?.[1]
  const url = /(http:\/\/[^/]+)\//.exec(lines[1] ?? '')?.[1]
  return lines.length <= 5 || port === undefined || url === undefined ? undefined : { mqttPort: Number(port), url }
}
