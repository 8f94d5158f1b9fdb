// The real service under a fleet, with a store that can be told to misbehave; and a second one, on a bad machine.

import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { TestContext } from 'node:test'
import { runSluice } from '../helpers/command.ts'
import { bucket, credentials } from '../helpers/local-store.ts'
import { startService, type Service } from '../helpers/process.ts'
import { Cameras } from './monitoring-cameras.ts'
import { startDistantStore, type DistantStore } from './monitoring-store.ts'
import { freePort, makeDirectory } from './peers.ts'

export const targetSeconds = 3

export interface Site {
  readonly store: DistantStore
  readonly service: Service
  readonly cameras: Cameras
  /** What an operator types after `sluice`. */
  sluice (...args: string[]): Promise<void>
}

const common = {
  SLUICE_S3_BUCKET: bucket,
  SLUICE_S3_ACCESS_KEY_ID: credentials.accessKeyId,
  SLUICE_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  SLUICE_SPOOL_SEGMENT_SIZE: '1MiB',
  SLUICE_SPOOL_RESERVE: '2MB',
  SLUICE_MQTT_MAX_PACKET_SIZE: '100KB', // small segments hold small packets
  SLUICE_SLO_TARGET: `${targetSeconds}s`
}

/** 20 cameras, 600 kB a second, and a line eight times as wide. */
export async function startSite (t: TestContext): Promise<Site> {
  const store = await startDistantStore(t)
  const service = await startService(t, {
    env: {
      ...common,
      SLUICE_S3_ENDPOINT: store.endpoint,
      SLUICE_SPOOL_LIMIT: '24MB',
      SLUICE_UPLINK_CAPACITY: '80Mbit',
      SLUICE_UPLINK_SHARE: '50%'
    }
  })
  const cameras = new Cameras(t, service.mqttPort, { prefix: 'cam', count: 20, bytes: 30_000, everyMs: 1000 })
  return {
    store,
    service,
    cameras,
    async sluice (...args) {
      const { code, stderr } = await runSluice([...args, '--url', service.url])
      if (code !== 0) throw new Error(`sluice ${args.join(' ')} ended with ${code}: ${stderr}`)
    }
  }
}

/** The same service again and again, on the same ports and the same data. */
export class BadMachine {
  readonly target: string
  /** Of the next start: at first narrower than what its cameras send. */
  line = '100kbit'
  cameras: Cameras | undefined
  readonly #t: TestContext
  readonly #env: Readonly<Record<string, string>>
  readonly #dataDir: string
  #service: Service | undefined

  private constructor (t: TestContext, dataDir: string, ports: { mqtt: number, http: number }, endpoint: string) {
    this.#t = t
    this.#dataDir = dataDir
    this.target = `127.0.0.1:${ports.http}`
    this.#env = {
      ...common,
      SLUICE_S3_ENDPOINT: endpoint,
      SLUICE_MQTT_LISTEN: `127.0.0.1:${ports.mqtt}`,
      SLUICE_HTTP_LISTEN: this.target,
      SLUICE_UPLINK_SHARE: '100%'
    }
  }

  static async make (t: TestContext, endpoint: string): Promise<BadMachine> {
    const ports = { mqtt: await freePort(), http: await freePort() }
    const machine = new BadMachine(t, await makeDirectory(t), ports, endpoint)
    machine.cameras = new Cameras(t, ports.mqtt, { prefix: 'other', count: 4, bytes: 10_000, everyMs: 500 })
    return machine
  }

  /** Every sync takes more than a second. */
  async startOnSlowDisk (): Promise<void> {
    const logs = Array.from({ length: 9 }, (_, nth) =>
      ['-P', join(this.#dataDir, `spool/segments/000000000${nth + 1}/000003.log`)])
    await this.#start(['strace', '-D', '-f', '-y', '--seccomp-bpf', '-o', '/dev/null', ...logs.flat(),
      '-e', 'trace=fdatasync', '-e', 'inject=fdatasync:delay_enter=1300000'])
  }

  async restart (): Promise<void> {
    await this.stop()
    await this.#start([])
  }

  async stop (): Promise<void> {
    await this.#service?.kill('SIGKILL')
  }

  /** Until `heard` is settled it gets no processor for 0.3 s, three times a second: every scrape tells of it. */
  async stutter (heard: Promise<void>): Promise<void> {
    const { pid } = this.#service ?? {}
    if (pid === undefined) throw new Error('it does not run')
    const settled = new AbortController()
    const end = (): void => { settled.abort() }
    heard.then(end, end)
    while (!settled.signal.aborted) {
      process.kill(pid, 'SIGSTOP')
      await delay(300)
      process.kill(pid, 'SIGCONT')
      await delay(30)
    }
    await heard
  }

  async #start (under: readonly string[]): Promise<void> {
    const env = { ...this.#env, SLUICE_UPLINK_CAPACITY: this.line }
    this.#service = await startService(this.#t, { dataDir: this.#dataDir, env, under })
  }
}
