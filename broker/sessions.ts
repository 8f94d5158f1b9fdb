import { Readable } from 'node:stream'
import type { Aedes, Client, PublishPacket, Subscription } from 'aedes'
import { storeInOrder } from './incoming.ts'
import { inOwnMemory } from './own-memory.ts'
import { SessionQueues, type QueueLimit, type QueueLimits } from './session-queues.ts'

// Sessions that are kept (clean session 0) live in the memory of Aedes, which bounds neither their
// number nor what waits in them. Both are bounded here, around the functions of its store
// (aedes-persistence, "API"): what these keep is what it keeps.

type ClientRef = { readonly id: string }
type Ack = { readonly messageId?: number }

interface Matching { readonly clientId: string, readonly qos: 0 | 1 | 2 }
/** A PUBLISH or PUBREL; with a packet identifier once it was sent. */
type Outgoing = Omit<PublishPacket, 'cmd'> & Ack & { readonly cmd: 'publish' | 'pubrel' }

/** What is used of the store of Aedes. */
interface Store {
  addSubscriptions (client: ClientRef, subscriptions: Subscription[]): Promise<void>
  outgoingEnqueueCombi (subscriptions: Matching[], packet: PublishPacket): Promise<void>
  outgoingStream (client: ClientRef): AsyncIterable<Outgoing> | Readable
  outgoingUpdate (client: ClientRef, packet: Outgoing): Promise<void>
  outgoingClearMessageId (client: ClientRef, ack: Ack): Promise<Outgoing | undefined>
  incomingGetPacket (client: object, packet: Ack): Promise<unknown>
  incomingStorePacket (client: ClientRef, packet: PublishPacket): Promise<void>
  cleanIncoming (client: Client): Promise<void>
}

/** Asked of a broker about its clients. */
interface Asked {
  /** Says again what authorizeSubscribe said. */
  isGranted (clientId: string, filter: string): boolean
  /** It is who it says it is. */
  isKnown (client: Client): boolean
}

export interface SessionLimits extends QueueLimits {
  readonly sessionsMax: number
  readonly sessionsPerUserMax: number
}

const nothing = Buffer.alloc(0)

export class Sessions {
  readonly #limits: SessionLimits
  /** With whose they are. */
  readonly #kept = new Map<string, string | undefined>()
  readonly #perUser = new Map<string, number>()
  /** What waits in them. */
  readonly queues: SessionQueues

  /** `onFull` is told once of a session that a message does not fit into, until one does again. */
  constructor (limits: SessionLimits, onFull: (clientId: string, limit: QueueLimit, detail: string) => void) {
    this.#limits = limits
    this.queues = new SessionQueues(limits, onFull)
  }

  /** How many are kept for clients that are not `connected`. */
  away (connected: ReadonlyMap<string, unknown>): number {
    return [...this.#kept.keys()].filter((clientId) => !connected.has(clientId)).length
  }

  isKept (clientId: string): boolean { return this.#kept.has(clientId) }

  /** The limit that keeps this session from being kept: there are as many as there may be, and it is not among them. */
  open (clientId: string, clean: boolean, user: string | undefined): 'sessions' | 'sessions_per_user' | undefined {
    if (clean) this.#forget(clientId)
    if (clean || this.#kept.has(clientId)) return undefined
    if (this.#kept.size >= this.#limits.sessionsMax) return 'sessions'
    const ofUser = user === undefined ? 0 : this.#perUser.get(user) ?? 0
    if (ofUser >= this.#limits.sessionsPerUserMax) return 'sessions_per_user'
    this.#kept.set(clientId, user)
    if (user !== undefined) this.#perUser.set(user, ofUser + 1)
    return undefined
  }

  #forget (clientId: string): void {
    const user = this.#kept.get(clientId)
    this.#kept.delete(clientId)
    if (user === undefined) return
    const left = (this.#perUser.get(user) ?? 0) - 1
    if (left > 0) this.#perUser.set(user, left)
    else this.#perUser.delete(user)
  }

  /** Bounds the store of a broker that listens. */
  bound (aedes: Aedes, { isGranted, isKnown }: Asked): void {
    const { persistence: store } = aedes as unknown as { persistence: Store } // not in the types of 1.2.0
    const { addSubscriptions, outgoingEnqueueCombi, outgoingStream, ...bound } = bind(store)
    const { queues } = this
    // Aedes stores all subscriptions of a SUBSCRIBE as soon as one of them is granted.
    store.addSubscriptions = (client, subscriptions) =>
      addSubscriptions(client, subscriptions.filter(({ topic }) => isGranted(client.id, topic)))
    // Aedes keeps a message with the QoS it came with. Once for each filter that matches: it takes one copy out again
    // for each that it does not deliver (client.js, deliverQoS), and has to find it.
    store.outgoingEnqueueCombi = async (subscriptions, packet) => {
      if (subscriptions.length > 0 && typeof packet.payload !== 'string') packet.payload = inOwnMemory(packet.payload)
      const granted = highest(subscriptions)
      const fitting = subscriptions.filter(({ clientId }) => queues.add(clientId, packet))
      await Promise.all(fitting.map(async (subscription) => {
        const qos = granted.get(subscription.clientId) ?? packet.qos
        await outgoingEnqueueCombi([subscription], qos < packet.qos ? { ...packet, qos } : packet)
      }))
    }
    store.outgoingStream = (client) => Readable.from(sentAgain(outgoingStream(client) as AsyncIterable<Outgoing>))
    store.outgoingClearMessageId = async (client, ack) => {
      const removed = await bound.outgoingClearMessageId(client, ack)
      if (removed !== undefined) queues.remove(client.id, ack.messageId, removed)
      return removed
    }
    store.outgoingUpdate = async (client, packet) => {
      await bound.outgoingUpdate(client, distinct(packet))
      if (packet.messageId !== undefined) queues.sent(client.id, packet.messageId, packet)
    }
    // Kept only to recognise a QoS 2 duplicate by its packet identifier; the message went on already.
    store.incomingStorePacket = (client, packet) =>
      bound.incomingStorePacket(client, { ...packet, payload: nothing })
    storeInOrder(store)
    // Aedes ends the session of every client that leaves, also that of one it refused, by the id it came with.
    store.cleanIncoming = async (client) => { if (isKnown(client)) await bound.cleanIncoming(client) }
  }
}

function bind (store: Store): Store {
  return {
    addSubscriptions: store.addSubscriptions.bind(store),
    outgoingEnqueueCombi: store.outgoingEnqueueCombi.bind(store),
    outgoingStream: store.outgoingStream.bind(store),
    outgoingUpdate: store.outgoingUpdate.bind(store),
    outgoingClearMessageId: store.outgoingClearMessageId.bind(store),
    incomingGetPacket: store.incomingGetPacket.bind(store),
    incomingStorePacket: store.incomingStorePacket.bind(store),
    cleanIncoming: store.cleanIncoming.bind(store)
  }
}

function highest (subscriptions: readonly Matching[]): Map<string, Matching['qos']> {
  const byClient = new Map<string, Matching['qos']>()
  for (const { clientId, qos } of subscriptions) {
    if (qos > (byClient.get(clientId) ?? -1)) byClient.set(clientId, qos)
  }
  return byClient
}

/**
 * Aedes looks for the place of a PUBREL by brokerId and brokerCounter, which it has not, and so takes every other
 * PUBREL for the same one and writes its own packet identifier into that. With these each is itself.
 */
function distinct (packet: Outgoing): Outgoing {
  return packet.cmd === 'pubrel' ? Object.assign(packet, { brokerId: 'pubrel', brokerCounter: packet.messageId }) : packet
}

/** What has a packet identifier went out before [MQTT-3.3.1-1]. */
async function * sentAgain (packets: AsyncIterable<Outgoing>): AsyncGenerator<Outgoing> {
  for await (const packet of packets) {
    yield packet.cmd === 'publish' && packet.messageId !== undefined ? { ...packet, dup: true } : packet
  }
}
