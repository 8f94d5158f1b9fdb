// $SYS/broker/..., in mosquitto's names and forms (mosquitto(8), "Broker status"), so that its readers read ours.
// Retained, and each figure is published every time: Aedes may hand a new subscriber what was retained after what was
// published since.

import type { BrokerLevels } from './events.ts'
import { Load } from './load.ts'
import type { Voice } from './voice.ts'

export interface SysDeps {
  readonly voice: Pick<Voice, 'announce'>
  readonly levels: () => BrokerLevels
  /** In ms; never goes back. */
  readonly now?: () => number
}

export interface SysOptions {
  /** 0: never. */
  readonly everyMs: number
  readonly version: string
}

const ROOT = '$SYS/broker'
const LOADS = [
  'messages/received', 'messages/sent', 'publish/dropped', 'publish/received', 'publish/sent', 'bytes/received',
  'bytes/sent', 'sockets', 'connections'
] as const
type LoadName = typeof LOADS[number]

export class SysTopics {
  readonly #deps: SysDeps
  readonly #now: () => number
  readonly #startedAt: number
  readonly #loads = new Map<LoadName, Load>()
  readonly #timer: NodeJS.Timeout | undefined

  constructor (deps: SysDeps, { everyMs, version }: SysOptions) {
    this.#deps = deps
    this.#now = deps.now ?? (() => performance.now())
    this.#startedAt = this.#now()
    if (everyMs === 0) return
    this.#publish('version', `sluice version ${version}`)
    this.look()
    this.#timer = setInterval(() => { this.look() }, everyMs)
  }

  close (): void { clearInterval(this.#timer) }

  look (): void {
    const now = this.#now()
    const levels = this.#deps.levels()
    this.#publish('uptime', `${Math.floor((now - this.#startedAt) / 1000)} seconds`)
    for (const [topic, figure] of Object.entries(figuresOf(levels))) this.#publish(topic, String(figure))
    for (const name of LOADS) {
      const load = this.#loads.get(name) ?? new Load(this.#startedAt)
      this.#loads.set(name, load)
      for (const [span, value] of load.add(totalOf(name, levels), now)) {
        this.#publish(`load/${name}/${span}`, value.toFixed(2))
      }
    }
  }

  #publish (topic: string, payload: string): void {
    void this.#deps.voice.announce(`${ROOT}/${topic}`, payload, true)
  }
}

function figuresOf (levels: BrokerLevels): Record<string, number> {
  const { connections, sessionsAway } = levels
  const stored = levels.retained + levels.queued
  return {
    'clients/connected': connections,
    'clients/active': connections, // its older name
    'clients/disconnected': sessionsAway,
    'clients/inactive': sessionsAway, // its older name
    'clients/total': connections + sessionsAway,
    'clients/maximum': levels.connectionsMost,
    'messages/received': levels.receivedPackets,
    'messages/sent': levels.sentPackets,
    'messages/stored': stored,
    'store/messages/count': stored,
    'store/messages/bytes': levels.retainedBytes + levels.queuedBytes,
    'publish/messages/received': levels.receivedPublishes,
    'publish/messages/sent': levels.sentPublishes,
    'publish/messages/dropped': levels.messagesDropped,
    'publish/bytes/received': levels.receivedPublishBytes,
    'publish/bytes/sent': levels.sentPublishBytes,
    'bytes/received': levels.receivedBytes,
    'bytes/sent': levels.sentBytes,
    'subscriptions/count': levels.subscriptions,
    'shared_subscriptions/count': 0,
    'retained messages/count': levels.retained
  }
}

function totalOf (name: LoadName, levels: BrokerLevels): number {
  switch (name) {
    case 'messages/received': return levels.receivedPackets
    case 'messages/sent': return levels.sentPackets
    case 'publish/dropped': return levels.messagesDropped
    case 'publish/received': return levels.receivedPublishes
    case 'publish/sent': return levels.sentPublishes
    case 'bytes/received': return levels.receivedBytes
    case 'bytes/sent': return levels.sentBytes
    case 'sockets': return levels.socketsOpened
    case 'connections': return levels.connected
  }
}
