import type { Connection } from './connection.ts'
import type { BrokerLevels } from './events.ts'
import type { Retained } from './retained.ts'
import type { Sessions } from './sessions.ts'
import type { Tally } from './tally.ts'
import { noTraffic, type Traffic } from './traffic.ts'

/** Who is there. */
export interface Counted {
  readonly connections: ReadonlySet<Connection>
  readonly connected: ReadonlyMap<string, Connection>
  readonly pubacks: Tally
  readonly sessions: Sessions
  readonly retained: Retained
}

/** What a broker tells of itself in numbers. */
export class Census {
  readonly traffic: Traffic = noTraffic()
  readonly #counted: Counted
  #socketsOpened = 0
  #connected = 0
  #connectionsMost = 0

  constructor (counted: Counted) {
    this.#counted = counted
  }

  opened (): void { this.#socketsOpened++ }

  admitted (): void {
    this.#connected++
    this.#connectionsMost = Math.max(this.#connectionsMost, this.#counted.connected.size)
  }

  get levels (): BrokerLevels {
    const { connections, connected, pubacks, sessions, retained } = this.#counted
    return {
      connections: connected.size,
      connectionsMost: this.#connectionsMost,
      connected: this.#connected,
      socketsOpened: this.#socketsOpened,
      sessionsAway: sessions.away(connected),
      pubacksPending: pubacks.count,
      subscriptions: [...connections].reduce((sum, { filters }) => sum + filters.size, 0),
      retained: retained.count,
      retainedBytes: retained.bytes,
      queued: sessions.queues.messages,
      queuedBytes: sessions.queues.bytes,
      messagesDropped: sessions.queues.dropped,
      ...this.traffic
    }
  }
}
