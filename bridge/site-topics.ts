// sluice/{site}/state, info and stats: how it stands, for whoever is connected to the broker anyway.
//
//   state   `online`, retained; `offline` once it stops
//   info    JSON, retained: version and limits; published again where one has changed
//   stats   JSON, every ten seconds, not retained
//
// An abrupt end takes the broker and what it retained with it, so nobody reads `online` of what is gone.

import { setTimeout as delay } from 'node:timers/promises'
import type { Voice } from '../broker/voice.ts'
import type { Config } from './config/config.ts'
import type { Status } from './status.ts'

export interface SiteDeps {
  readonly voice: Pick<Voice, 'announce'>
  readonly status: () => Status
}

const EVERY_MS = 10_000
/** A subscriber that reads nothing does not hold up the end. */
const CLOSE_MS_MAX = 500

export class SiteTopics {
  readonly #deps: SiteDeps
  readonly #config: Config
  readonly #timer: NodeJS.Timeout
  #info = ''

  constructor (deps: SiteDeps, config: Config) {
    this.#deps = deps
    this.#config = config
    void this.#announce('state', 'online', true)
    this.look()
    this.#timer = setInterval(() => { this.look() }, EVERY_MS)
  }

  look (): void {
    const status = this.#deps.status()
    const info = JSON.stringify(describeInfo(status, this.#config))
    if (info !== this.#info) void this.#announce('info', info, true)
    this.#info = info
    void this.#announce('stats', JSON.stringify(describeStats(status)), false)
  }

  /** Before the broker closes, so that who is connected still hears of it. */
  async close (): Promise<void> {
    clearInterval(this.#timer)
    await Promise.race([this.#announce('state', 'offline', true), delay(CLOSE_MS_MAX, undefined, { ref: false })])
  }

  #announce (word: 'state' | 'info' | 'stats', payload: string, retain: boolean): Promise<void> {
    return this.#deps.voice.announce(`sluice/${this.#config.mqtt.site}/${word}`, payload, retain)
  }
}

function describeInfo ({ version, startedAt, allowance, limit }: Status, { mqtt, intake, spool, slo }: Config): object {
  return {
    v: 1,
    site: mqtt.site,
    version,
    startedAt,
    topicPrefix: mqtt.topicPrefix,
    limits: {
      packetBytesMax: mqtt.maxPacketSize,
      connectionsMax: mqtt.maxConnections,
      imageTypes: intake.imageTypes,
      spoolBytesMax: spool.limit,
      uplinkBytesPerSecond: allowance.bytesPerSecond ?? null,
      uplinkPaused: limit.paused ?? null
    },
    slo: { targetSeconds: slo.targetMs / 1000, objective: slo.objective }
  }
}

function describeStats (status: Status): object {
  const { verdict, accepting, images, backlog, rates, allowance, forecast, ledger, at } = status
  return {
    v: 1,
    at,
    verdict,
    accepting,
    waiting: backlog.count,
    waitingBytes: backlog.bytes,
    oldestSeconds: backlog.count === 0 ? 0 : backlog.oldestSeconds,
    failed: images.failed.count,
    in: rates.in,
    out: rates.out,
    sentBytesPerSecond: allowance.sentBytesPerSecond,
    emptyInSeconds: forecast.emptyInSeconds ?? null,
    fullInSeconds: forecast.fullInSeconds ?? null,
    ledger
  }
}
