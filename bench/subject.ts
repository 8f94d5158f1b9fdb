import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Child } from './child.ts'

export interface Service {
  readonly child: Child
  readonly mqttPort: number
  readonly httpPort: number
  status (): Promise<Status>
}

export interface Status {
  readonly ledger: { readonly waiting: number, readonly exact: boolean }
  /** Not in the store yet. */
  readonly backlog: { readonly count: number, readonly bytes: number }
}

/** The real process, as `npm start` runs it in a built checkout, on free ports. */
export async function startService (
  dataDir: string, env: Readonly<Record<string, string>> = {}, checkout = '.'
): Promise<Service> {
  const child = new Child(join(checkout, 'bridge', 'sluice'), ['serve'], {
    SLUICE_DATA_DIR: dataDir,
    SLUICE_MQTT_LISTEN: '127.0.0.1:0',
    SLUICE_HTTP_LISTEN: '127.0.0.1:0',
    SLUICE_LOG_LEVEL: 'warn',
    ...env
  })
  const mqttPort = Number((await child.prints(/mqtt:\/\/127\.0\.0\.1:(\d+)/, 60_000))[1])
  const httpPort = Number((await child.prints(/http:\/\/127\.0\.0\.1:(\d+)\/\n/))[1])
  return {
    child,
    mqttPort,
    httpPort,
    async status () {
      const response = await fetch(`http://127.0.0.1:${httpPort}/api/v1/status`)
      return await response.json() as Status // the service's own answer
    }
  }
}

export async function ready (httpPort: number): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${httpPort}/readyz`).catch(() => undefined)
    if (answer?.ok === true) return
    await delay(10)
  }
}

export async function withTempDirectory<T> (
  work: (directory: string) => Promise<T>, parent = tmpdir()
): Promise<T> {
  const directory = await mkdtemp(join(parent, 'sluice-bench-'))
  try {
    return await work(directory)
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** A store that nobody answers for: the uplink stays down and the backlog stays. */
export const NO_STORE = {
  SLUICE_S3_ENDPOINT: 'http://127.0.0.1:1', SLUICE_S3_ACCESS_KEY_ID: 'a', SLUICE_S3_SECRET_ACCESS_KEY: 'b'
}
