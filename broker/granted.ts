import type { Client } from 'aedes'
import { compile } from './permit.ts'

type QoS = 0 | 1 | 2
type Delivery = { readonly topic: string, qos: QoS }
type Deliver = (packet: Delivery, done: () => void) => void

/** What is used of a client of Aedes beyond its types. */
interface Delivering {
  deliver0: Deliver
  deliverQoS: Deliver
  readonly subscriptions: Readonly<Record<string, { qos: QoS } | undefined>>
}

/** The filters of a client, each with the QoS that was granted. */
export class Granted {
  readonly #filters = new Map<string, { readonly qos: QoS, readonly pattern: RegExp }>()
  /** The last answer: a message is asked for once for each filter that it matches. */
  #last: { readonly topic: string, readonly qos: QoS | undefined } | undefined

  get size (): number { return this.#filters.size }

  /** The filters themselves. */
  [Symbol.iterator] (): MapIterator<string> { return this.#filters.keys() }

  has (filter: string): boolean { return this.#filters.has(filter) }

  add (filter: string, qos: QoS): void {
    this.#filters.set(filter, { qos, pattern: compile(filter) })
    this.#last = undefined
  }

  delete (filter: string): void {
    this.#filters.delete(filter)
    this.#last = undefined
  }

  /** The highest of all that match the topic [MQTT-3.3.5-1]; undefined where none does. */
  qosFor (topic: string): QoS | undefined {
    if (this.#last?.topic !== topic) this.#last = { topic, qos: this.#highest(topic) }
    return this.#last.qos
  }

  #highest (topic: string): QoS | undefined {
    let highest: QoS | undefined
    for (const { qos, pattern } of this.#filters.values()) {
      if (qos > (highest ?? -1) && pattern.test(topic)) highest = qos
      if (highest === 2) break
    }
    return highest
  }
}

/**
 * Aedes delivers a message once and by the subscription that comes first, and looks at the QoS of a filter only
 * where it is the very topic (client.js, deliverQoS). From here on it is the highest that was granted.
 */
export function deliverAsGranted (client: Client, granted: Granted): void {
  const delivering = client as unknown as Delivering
  const { deliver0, deliverQoS, subscriptions } = delivering
  const deliver: Deliver = (packet, done) => {
    const most = granted.qosFor(packet.topic)
    if (most !== undefined && most < packet.qos) packet.qos = most // a copy for this client alone
    const same = subscriptions[packet.topic]
    if (same !== undefined) same.qos = 2 // so that it lowers nothing more
    if (packet.qos === 0) deliver0(packet, done)
    else deliverQoS(packet, done)
  }
  delivering.deliver0 = deliver
  delivering.deliverQoS = deliver
}
