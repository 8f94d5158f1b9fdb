import { join } from 'node:path'
import { MemoryBudget } from '../broker/budget.ts'
import { startBroker, type Broker } from '../broker/broker.ts'
import type { Access } from '../broker/identities.ts'
import type { TlsKeys } from '../broker/tls-listener.ts'
import { readAccess, readTlsListener } from './access-files.ts'
import { brokerLimits } from './broker-limits.ts'
import { allowance as allowanceOf, timetable, type Address, type Config } from './config/config.ts'
import { configHash } from './config/read-config.ts'
import type { Observe } from './events.ts'
import { FailedElsewhere } from './failed-elsewhere.ts'
import { startHttp } from './http/server.ts'
import { createIntake } from './intake/intake.ts'
import { RefusedSamples } from './intake/refused-samples.ts'
import { writeLocalToken } from './local-token.ts'
import { Lives } from './lives.ts'
import type { LocalStore } from './local-store/server.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { createNotes, type Notes } from './notes.ts'
import { openStore, type OpenStore } from './open-store.ts'
import { Rates } from './rates.ts'
import { Readers } from './readers.ts'
import { Spool } from './spool/spool.ts'
import { adviseAtStart } from './start-advice.ts'
import { storeIdentity } from './store-identity.ts'
import { Allowance } from './uplink/allowance.ts'
import { Limits, type Line } from './uplink/limits.ts'
import { Timetable } from './uplink/timetable.ts'
import { Uplink } from './uplink/uplink.ts'

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
  /** Settles when the uplink does: normally after close(), earlier only by rejecting. */
  readonly stopped: Promise<void>
  /** Applies all of it but the time-out from now on; what an operator set of the line stays in force. */
  configureUplink (uplink: Config['uplink']): void
  /** These names and rules hold from now on. Returns how many sessions that ended. */
  configureAccess (access: Access): number
  configureTls (keys: TlsKeys): void
  /**
   * Takes nothing new, sends the PUBACKs of what is being written, lets running puts end until `cut`
   * aborts, and leaves the rest on disk.
   */
  close (cut: AbortSignal): Promise<{ waiting: number }>
}

interface Parts {
  readonly spool: Spool
  readonly uplink: Uplink
  readonly limits: Limits
  readonly broker: Broker
  readonly budget: MemoryBudget
  readonly opened: OpenStore
  readonly notes: Notes
}

/** device -> broker -> intake -> spool -> uplink -> store, assembled from right to left. */
export async function startBridge (config: Config, { log, version }: BridgeDeps): Promise<Bridge> {
  const rates = new Rates()
  const lives = new Lives()
  const readers = new Readers(log.observe, rates.observe, lives.observe)
  const { observe } = readers

  const spool = await Spool.open(spoolOptions(config), observe)
  const { allowance, limits, opened, uplink, identity } = await openUplink(config, spool, observe)
  const { store } = opened

  const samples = new RefusedSamples(join(config.dataDir, 'refused'))
  let sending = config.uplink // as it was last configured
  const rules = { ...config.intake, get laneRules () { return sending.laneRules } }
  const intake = createIntake({ spool, samples, observe }, rules)
  const budget = new MemoryBudget(config.mqtt.memoryBudget)
  const broker = await startBroker({ takeCustody: intake.take, observe, budget }, brokerOptions(config))
  const notes = createNotes((...sent) => { broker.notify(...sent); lives.noted(...sent) })
  const metrics = measure({ spool, uplink, limits, broker, budget, opened, notes }, config, version)
  readers.add(notes.observe)
  readers.addLate(metrics.observe)

  let isStopping = false
  const failedElsewhere = new FailedElsewhere(spool, identity)
  const http = await startHttp({
    identities: broker.identities,
    ...{ spool, intake, uplink, limits, store, budget, rates, lives, metrics, observe },
    sentBytes: () => opened.sentBytes(),
    failedUnderOtherStore: () => failedElsewhere.count,
    allowanceAt: limits.at,
    scheduling: () => sendingOf(sending).scheduler,
    isStopping: () => isStopping
  }, { ...httpOptions(config, version, broker), localToken: await writeLocalToken(config.dataDir) })

  const advising = adviseAtStart({ spool, failedElsewhere, allowanceAt: limits.at }).then((sentences) => {
    for (const detail of sentences) observe({ kind: 'operator-advised', detail })
  }, () => {}) // what keeps the index from being read is said elsewhere

  const [stop, cut] = [new AbortController(), new AbortController()]
  const stopped = uplink.run(stop.signal, cut.signal)
  return {
    mqtt: { host: broker.host, port: broker.port },
    http: { host: http.host, port: http.port },
    place: store.place,
    localStore: opened.localStore,
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
      await broker.close() // nothing more comes in; what is being written still gets its PUBACK
      await http.close()
      await stopped
      await advising
      await samples.close()
      await limits.close()
      allowance.close()
      await opened.close()
      const waiting = spool.ledger.waiting
      await spool.close() // what is left waits on disk
      return { waiting }
    }
  }
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

export function spoolOptions ({ spool, intake: { dedupWindowMs } }: Config): Parameters<typeof Spool.open>[0] {
  return {
    directory: spool.dir,
    segmentBytes: spool.segmentSize,
    limitBytes: spool.limit,
    reserveBytes: spool.reserve,
    dedupWindowMs
  }
}

function sendingOf ({ concurrency, retryShare, order, lanes }: Config['uplink']): Parameters<Uplink['configure']>[0] {
  return { concurrency, retryShare, scheduler: { order, lanes } }
}

function lineOf (uplink: Config['uplink']): Line {
  return { timetable: new Timetable(timetable(uplink)), capacity: uplink.capacity, overhead: uplink.overhead }
}

function brokerOptions ({ mqtt, auth }: Config): Parameters<typeof startBroker>[1] {
  return {
    listen: mqtt.listen,
    tls: readTlsListener(mqtt.tls),
    ws: { listen: mqtt.ws.listen, tls: readTlsListener(mqtt.ws.tls) },
    topicPrefix: mqtt.topicPrefix,
    packetBytesMax: mqtt.maxPacketSize,
    connectionsMax: mqtt.maxConnections,
    anonymous: auth.anonymous,
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
    anonymous: auth.anonymous,
    version,
    bodyBytesMax: mqtt.maxPacketSize,
    targetMs: slo.targetMs,
    mqtt: { host: broker.host, port: broker.port, topicPrefix: mqtt.topicPrefix }
  }
}

/** Levels are read from their owners at scrape time; a gauge kept beside its owner would drift. */
function measure (parts: Parts, config: Config, version: string): Metrics {
  const { spool, uplink, limits, broker, budget, opened, notes } = parts
  return createMetrics({
    broker: () => broker.levels,
    budget: () => ({ ...budget.levels, limitBytes: budget.bytesMax }),
    spool: () => heldLevels(spool, uplink),
    uplink: () => {
      const { uploading, state, heldSeconds, ...levels } = uplink.levels
      return {
        ...levels,
        bytesPerSecond: limits.inForce.bytesPerSecond,
        paused: limits.inForce.paused,
        inFlight: uploading.size,
        sentBytes: opened.sentBytes(),
        throttledSeconds: heldSeconds,
        down: state.kind === 'down'
      }
    },
    ledger: () => spool.ledger,
    notes: () => notes.sent
  }, { version, configHash: configHash(config), slo: config.slo })
}

type HeldLevels = ReturnType<Parameters<typeof createMetrics>[0]['spool']>

/** What the spool calls waiting, parted by what the uplink is doing with it. */
function heldLevels (spool: Spool, { levels: uplink }: Uplink): HeldLevels {
  const { waiting, usedBytes, paused, ...levels } = spool.levels
  const uploading = { count: uplink.uploading.size, bytes: uplink.uploadingBytes }
  const retrying = { count: uplink.retrying.size, bytes: uplink.retryingBytes }
  return {
    ...levels,
    uploading,
    retrying,
    waiting: {
      count: Math.max(0, waiting.count - uploading.count - retrying.count),
      bytes: Math.max(0, waiting.bytes - uploading.bytes - retrying.bytes)
    },
    diskUsedBytes: usedBytes,
    paused: paused?.reason
  }
}
