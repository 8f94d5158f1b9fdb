import { join } from 'node:path'
import { MemoryBudget } from '../broker/budget.ts'
import { startBroker, type Broker } from '../broker/broker.ts'
import type { Access } from '../broker/identities.ts'
import type { TlsKeys } from '../broker/tls-listener.ts'
import { readAccess, readTlsListener } from './access-files.ts'
import { brokerLimits } from './broker-limits.ts'
import { allowance as allowanceOf, timetable, type Address, type Config } from './config/config.ts'
import type { Observe } from './events.ts'
import { FailedElsewhere } from './failed-elsewhere.ts'
import { Fleet } from './fleet.ts'
import type { HttpLimits } from './http/deps.ts'
import { startHttp } from './http/server.ts'
import { createIntake } from './intake/intake.ts'
import { RefusedSamples } from './intake/refused-samples.ts'
import { writeLocalToken } from './local-token.ts'
import { Lives } from './lives.ts'
import type { LocalStore } from './local-store/server.ts'
import { measure } from './measure.ts'
import { createNotes } from './notes.ts'
import { openSlo } from './open-slo.ts'
import { openStore, type OpenStore } from './open-store.ts'
import { Rates } from './rates.ts'
import { Readers } from './readers.ts'
import { SiteTopics } from './site-topics.ts'
import type { Slo } from './slo/slo.ts'
import { Spool } from './spool/spool.ts'
import { adviseAtStart } from './start-advice.ts'
import { storeIdentity } from './store-identity.ts'
import { Allowance } from './uplink/allowance.ts'
import { Limits, type Line } from './uplink/limits.ts'
import { Timetable } from './uplink/timetable.ts'
import { Uplink } from './uplink/uplink.ts'

/** Of the memory budget: what may arrive quickly, or queue up for the disk. As much again makes no image faster. */
const QUICK_SHARE = 3 / 16

export interface BridgeDeps {
  readonly log: { readonly observe: Observe }
  readonly version: string
}

export interface Bridge {
  readonly mqtt: Address
  readonly http: Address
  /** Where images land, for people. */
  readonly place: string
  /** The embedded store, where no other is configured. */
  readonly localStore: LocalStore | undefined
  /** For what happens outside of it and is to be counted and logged with the rest. */
  readonly observe: Observe
  /** Settles when the uplink does: normally after close(), earlier only by rejecting. */
  readonly stopped: Promise<void>
  /** Applies all of it but the time-out from now on; what an operator set of the line stays in force. */
  configureUplink (uplink: Config['uplink']): void
  /** These names and rules hold from now on. Returns how many sessions that ended. */
  configureAccess (access: Access): number
  configureTls (keys: TlsKeys): number
  /**
   * Takes nothing new, sends the PUBACKs of what is being written, lets running puts end until `cut`
   * aborts, and leaves the rest on disk.
   */
  close (cut: AbortSignal): Promise<{ waiting: number }>
}

/** device -> broker -> intake -> spool -> uplink -> store, assembled from right to left. */
export async function startBridge (config: Config, { log, version }: BridgeDeps): Promise<Bridge> {
  const [rates, lives, fleet] = [new Rates(), new Lives(), new Fleet()]
  const readers = new Readers(log.observe, rates.observe, lives.observe, fleet.observe)
  const { observe } = readers

  const spool = await Spool.open(spoolOptions(config), observe)
  const { slo, follow } = await openSlo(config, spool, observe)
  readers.add(slo.observe)
  const line = await openUplink(config, spool, observe)
  follow(line)
  const { limits, opened, opened: { store }, uplink, identity } = line

  const samples = new RefusedSamples(join(config.dataDir, 'refused'))
  let sending = config.uplink // as it was last configured
  const rules = { ...config.intake, get laneRules () { return sending.laneRules } }
  const intake = createIntake({ spool, samples, observe }, rules)
  const budget = new MemoryBudget(config.mqtt.memoryBudget, config.mqtt.memoryBudget * QUICK_SHARE)
  const broker = await startBroker({ takeCustody: intake.take, observe, budget }, brokerOptions(config, version))
  const notes = createNotes((...sent) => { broker.notify(...sent); lives.noted(...sent) })
  const metrics = measure({ spool, uplink, limits, broker, budget, opened, notes, slo, fleet }, config, version)
  readers.add(notes.observe)
  readers.addLate(metrics.observe)

  let isStopping = false
  const failedElsewhere = new FailedElsewhere(spool, identity)
  const http = await startHttp({
    identities: broker.identities,
    ...{ spool, intake, uplink, limits, store, budget, rates, lives, metrics, slo, observe },
    sentBytes: () => opened.sentBytes(),
    failedUnderOtherStore: () => failedElsewhere.count,
    allowanceAt: limits.at,
    scheduling: () => sendingOf(sending).scheduler,
    isStopping: () => isStopping
  }, { ...httpOptions(config, version, broker), localToken: await writeLocalToken(config.dataDir) })

  const site = new SiteTopics({ voice: broker, status: () => http.status.read() }, config)
  const advising = advise(adviseAtStart({ spool, failedElsewhere, allowanceAt: limits.at }), observe)

  const [stop, cut] = [new AbortController(), new AbortController()]
  const stopped = uplink.run(stop.signal, cut.signal)
  return {
    mqtt: { host: broker.host, port: broker.port },
    http: { host: http.host, port: http.port },
    place: store.place,
    localStore: opened.localStore,
    observe,
    stopped,
    configureUplink (changed) {
      limits.configure(lineOf(changed))
      uplink.configure(sendingOf(changed))
      opened.configure(changed.concurrency)
      sending = changed
    },
    configureAccess: (access) => broker.configureAccess(access),
    configureTls: (keys) => broker.configureTls(keys),
    async close (deadline) {
      isStopping = true
      deadline.addEventListener('abort', () => { cut.abort() }, { once: true })
      stop.abort() // no further put is begun
      await site.close()
      await broker.close() // nothing more comes in; what is being written still gets its PUBACK
      await http.close()
      await stopped
      await advising
      await samples.close()
      return await closeCustody({ ...line, slo, spool })
    }
  }
}

async function advise (advice: ReturnType<typeof adviseAtStart>, observe: Observe): Promise<void> {
  const sentences = await advice.catch(() => []) // what keeps the index from being read is said elsewhere
  for (const detail of sentences) observe({ kind: 'operator-advised', detail })
}

async function closeCustody (
  { limits, allowance, opened, slo, spool }: OpenUplink & { readonly slo: Slo, readonly spool: Spool }
): Promise<{ waiting: number }> {
  await limits.close()
  allowance.close()
  await opened.close()
  await slo.close()
  const waiting = spool.ledger.waiting
  await spool.close() // what is left waits on disk
  return { waiting }
}

interface OpenUplink {
  readonly allowance: Allowance
  readonly limits: Limits
  readonly opened: OpenStore
  readonly uplink: Uplink
  /** Of the store as it is configured (store-identity.ts). */
  readonly identity: string
}

async function openUplink (config: Config, spool: Spool, observe: Observe): Promise<OpenUplink> {
  const allowance = new Allowance(allowanceOf(config.uplink))
  const limitsFile = join(config.dataDir, 'uplink-limits.json')
  const limits = await Limits.open(limitsFile, lineOf(config.uplink), { allowance, observe })
  const opened = await openStore(config, allowance, observe)
  const identity = storeIdentity(config)
  const options = { key: config.s3.key, storeIdentity: identity, ...sendingOf(config.uplink) }
  const { store, countBody } = opened
  const uplink = new Uplink({ spool, store, allowance, observe, gate: limits.gate, countBody }, options)
  return { allowance, limits, opened, uplink, identity }
}

export function spoolOptions (
  { spool, intake: { dedupWindowMs }, slo: { targetMs } }: Config
): Parameters<typeof Spool.open>[0] {
  return {
    directory: spool.dir,
    segmentBytes: spool.segmentSize,
    limitBytes: spool.limit,
    reserveBytes: spool.reserve,
    dedupWindowMs: Math.max(dedupWindowMs, 2 * targetMs) // what is not judged yet is not forgotten
  }
}

function sendingOf ({ concurrency, retryShare, order, lanes }: Config['uplink']): Parameters<Uplink['configure']>[0] {
  return { concurrency, retryShare, scheduler: { order, lanes } }
}

function lineOf (uplink: Config['uplink']): Line {
  return { timetable: new Timetable(timetable(uplink)), capacity: uplink.capacity, overhead: uplink.overhead }
}

function brokerOptions ({ mqtt, auth }: Config, version: string): Parameters<typeof startBroker>[1] {
  return {
    listen: mqtt.listen,
    tls: readTlsListener(mqtt.tls),
    ws: { listen: mqtt.ws.listen, tls: readTlsListener(mqtt.ws.tls) },
    topicPrefix: mqtt.topicPrefix,
    packetBytesMax: mqtt.maxPacketSize,
    connectionsMax: mqtt.maxConnections,
    anonymous: auth.anonymous,
    sys: { everyMs: mqtt.sysIntervalMs, version },
    access: readAccess(auth),
    limits: brokerLimits(mqtt.limits)
  }
}

function httpOptions (
  { http, mqtt, auth, slo }: Config, version: string, broker: Broker
): Parameters<typeof startHttp>[1] {
  return {
    ...http.listen,
    token: http.token,
    limits: httpLimits(http.limits),
    anonymous: auth.anonymous,
    version,
    bodyBytesMax: mqtt.maxPacketSize,
    targetMs: slo.targetMs,
    mqtt: { host: broker.host, port: broker.port, topicPrefix: mqtt.topicPrefix }
  }
}

function httpLimits (limits: Config['http']['limits']): Partial<HttpLimits> {
  return {
    connectionsMax: limits.connections,
    connectionsPerAddressMax: limits.connectionsPerAddress,
    loginsMax: limits.logins,
    loginsPerUserMax: limits.loginsPerUser
  }
}
