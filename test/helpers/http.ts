// The HTTP surface on a real spool, intake, uplink and S3 client; only main is missing around it.

import { once } from 'node:events'
import { request, type IncomingMessage, type RequestOptions } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { MemoryBudget } from '../../broker/budget.ts'
import type { Entry } from '../../bridge/entry.ts'
import type { BridgeEvent } from '../../bridge/events.ts'
import type { HttpDeps, HttpOptions } from '../../bridge/http/deps.ts'
import { startHttp, type HttpServer } from '../../bridge/http/server.ts'
import { createIntake } from '../../bridge/intake/intake.ts'
import { RefusedSamples } from '../../bridge/intake/refused-samples.ts'
import { Lives } from '../../bridge/lives.ts'
import { Rates } from '../../bridge/rates.ts'
import type { SpoolOptions } from '../../bridge/spool/open-parts.ts'
import { Spool } from '../../bridge/spool/spool.ts'
import { Allowance } from '../../bridge/uplink/allowance.ts'
import { Slo } from '../../bridge/slo/slo.ts'
import { Limits } from '../../bridge/uplink/limits.ts'
import { Timetable } from '../../bridge/uplink/timetable.ts'
import { Uplink } from '../../bridge/uplink/uplink.ts'
import { storeAt } from './s3.ts'
import { arrivalOf, makeTempDirectory, spoolOptions } from './spool.ts'

export interface TestSite extends HttpServer {
  readonly url: string
  readonly spool: Spool
  readonly uplink: Uplink
  readonly budget: MemoryBudget
  readonly events: readonly BridgeEvent[]
  /** As main does when it is told to stop. */
  stop (): void
}

export interface SiteOptions {
  readonly http?: Partial<HttpOptions>
  readonly spool?: Partial<SpoolOptions>
  readonly budgetBytes?: number
  /** Of the store, to which images are uploaded then; without it nothing leaves and nobody answers there. */
  readonly endpoint?: string
  /** What intake has decided is held back until this resolves. */
  readonly gate?: Promise<void>
}

const NOBODY = 'http://127.0.0.1:1'
const WITHHOLD_MS = 50

export async function startSite (t: TestContext, options: SiteOptions = {}): Promise<TestSite> {
  const directory = await makeTempDirectory(t)
  const events: BridgeEvent[] = []
  const rates = new Rates()
  const lives = new Lives()
  const observe = (event: BridgeEvent): void => {
    events.push(event)
    rates.observe(event)
    lives.observe(event)
  }
  const spool = await Spool.open(spoolOptions(directory, options.spool), observe)
  const { store, agents } = storeAt(t, options.endpoint ?? NOBODY)
  const allowance = new Allowance(1e8)
  const line = { timetable: new Timetable({ entries: [], bytesPerSecond: 1e8, timeZone: 'UTC' }), capacity: 1e9, overhead: 0 }
  const limits = await Limits.open(join(directory, 'uplink-limits.json'), line, { allowance, observe })
  const key = 'images/{deviceId}/{imageId}.{ext}'
  const { gate } = limits
  const uplink = new Uplink({ spool, store, allowance, observe, gate }, { key, concurrency: 4, retryShare: 0.1 })
  const samples = new RefusedSamples(join(directory, 'refused'))
  const intake = createIntake({ spool, samples, observe }, {
    imageTypes: ['image/jpeg', 'image/png'], imageKey: 'image', dedupWindowMs: 3_600_000, withholdMs: WITHHOLD_MS
  })
  const budget = new MemoryBudget(options.budgetBytes ?? 10e6)
  const slo = await Slo.open({
    acceptance: spool.acceptance,
    conditions: () => ({ accepting: true, storeAway: false, paused: false, oldestReceivedAt: undefined }),
    observe
  }, { dataDir: directory, targetMs: 10_000, objective: 0.99 })
  t.after(() => slo.close())
  let isStopping = false
  const deps: HttpDeps = {
    spool,
    intake: {
      async take (offer) {
        const outcome = await intake.take(offer)
        await options.gate
        return outcome
      }
    },
    uplink,
    limits,
    store,
    budget,
    rates,
    lives,
    observe,
    sentBytes: () => agents.sentBytes(),
    slo,
    metrics: { contentType: 'text/plain; version=0.0.4', text: async () => 'sluice_build_info 1\n' },
    isStopping: () => isStopping
  }
  const starting = startHttp(deps, {
    host: '127.0.0.1',
    port: 0,
    token: undefined,
    version: '1.2.3',
    bodyBytesMax: 1_000_000,
    targetMs: 10_000,
    mqtt: { host: '127.0.0.1', port: 1883, topicPrefix: 'devices' },
    ...options.http
  })
  const end = new AbortController()
  const running = options.endpoint === undefined ? undefined : uplink.run(end.signal, end.signal)
  t.after(async () => {
    end.abort()
    await running
    const started = await starting.catch(() => undefined) // the test has seen why
    await started?.close()
    await limits.close()
    allowance.close()
    await samples.close()
    await spool.close()
  })
  const server = await starting
  const stop = (): void => { isStopping = true }
  return { ...server, url: `http://127.0.0.1:${server.port}`, spool, uplink, budget, events, stop }
}

/** Straight into the spool, and in the index when it resolves. */
export async function keep (spool: Spool, device: string, image: string, payload: Buffer): Promise<Entry> {
  const entry = await spool.append(arrivalOf(device, image, payload), payload)
  const seen = spool.changes
  if ((await spool.waiting(entry.sequence - 1, 1)).length === 0) await spool.changed(seen, AbortSignal.timeout(2000))
  return entry
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A request of which everything can be chosen, Host included, which fetch would not allow. */
export async function ask (url: string, options: RequestOptions = {}, body?: string | Buffer): Promise<Answer> {
  const sent = request(url, { ...options, agent: false })
  sent.end(body)
  const [response] = await once(sent, 'response') as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }
}

/** A connection on which a test writes what it likes; `received` is what came back so far. */
export async function openRaw (t: TestContext, port: number): Promise<{ socket: Socket, received: () => string }> {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.on('data', (data: Buffer) => { received += data.toString('latin1') })
  socket.on('error', () => {}) // a reset is an answer, too
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  return { socket, received: () => received }
}
