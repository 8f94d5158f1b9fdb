import type { Aedes, Client, PublishPacket, Subscription } from 'aedes'

// Sessions that are kept (clean session 0) live in the memory of Aedes, which bounds neither their
// number nor what waits in them. Both are bounded here, around the functions of its store
// (aedes-persistence, "API"): what these keep is what it keeps.

type ClientRef = { readonly id: string }
type Ack = { readonly messageId?: number }

/** What is used of the store of Aedes. */
interface Store {
  addSubscriptions (client: ClientRef, subscriptions: Subscription[]): Promise<void>
  outgoingEnqueueCombi (subscriptions: Array<{ clientId: string }>, packet: PublishPacket): Promise<void>
  outgoingClearMessageId (client: ClientRef, ack: Ack): Promise<unknown>
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

export interface SessionLimits {
  readonly sessionsMax: number
  readonly queuedMax: number
}

const nothing = Buffer.alloc(0)

export class Sessions {
  readonly #limits: SessionLimits
  readonly #kept = new Set<string>()
  readonly #queued = new Map<string, number>()
  #dropped = 0

  constructor (limits: SessionLimits) {
    this.#limits = limits
  }

  /** Messages not queued because the session had as many as it may have. */
  get dropped (): number { return this.#dropped }

  /** Messages that wait in all of them. */
  get queued (): number { return [...this.#queued.values()].reduce((sum, queued) => sum + queued, 0) }

  /** How many are kept for clients that are not `connected`. */
  away (connected: ReadonlyMap<string, unknown>): number {
    return [...this.#kept].filter((clientId) => !connected.has(clientId)).length
  }

  /** False: there are as many sessions as there may be, and this one is not among them. */
  open (clientId: string, clean: boolean): boolean {
    if (clean) this.#kept.delete(clientId)
    else if (this.#kept.size < this.#limits.sessionsMax) this.#kept.add(clientId)
    return clean || this.#kept.has(clientId)
  }

  /** Bounds the store of a broker that listens. */
  bound (aedes: Aedes, { isGranted, isKnown }: Asked): void {
    const { persistence: store } = aedes as unknown as { persistence: Store } // not in the types of 1.2.0
    const { addSubscriptions, outgoingEnqueueCombi, outgoingClearMessageId, ...incoming } = bind(store)
    // Aedes stores all subscriptions of a SUBSCRIBE as soon as one of them is granted.
    store.addSubscriptions = (client, subscriptions) =>
      addSubscriptions(client, subscriptions.filter(({ topic }) => isGranted(client.id, topic)))
    store.outgoingEnqueueCombi = (subscriptions, packet) =>
      outgoingEnqueueCombi(subscriptions.filter(({ clientId }) => this.#enqueue(clientId)), packet)
    store.outgoingClearMessageId = async (client, ack) => {
      const removed = await outgoingClearMessageId(client, ack)
      if (removed !== undefined) this.#dequeue(client.id)
      return removed
    }
    // Kept only to recognise a QoS 2 duplicate by its packet identifier; the message went on already.
    store.incomingStorePacket = (client, packet) =>
      incoming.incomingStorePacket(client, { ...packet, payload: nothing })
    // Aedes ends the session of every client that leaves, also that of one it refused, by the id it came with.
    store.cleanIncoming = async (client) => { if (isKnown(client)) await incoming.cleanIncoming(client) }
  }

  #enqueue (clientId: string): boolean {
    const queued = this.#queued.get(clientId) ?? 0
    const fits = queued < this.#limits.queuedMax
    if (fits) this.#queued.set(clientId, queued + 1)
    else this.#dropped++
    return fits
  }

  #dequeue (clientId: string): void {
    const queued = (this.#queued.get(clientId) ?? 0) - 1
    if (queued > 0) this.#queued.set(clientId, queued)
    else this.#queued.delete(clientId)
  }
}

function bind (store: Store): Store {
  return {
    addSubscriptions: store.addSubscriptions.bind(store),
    outgoingEnqueueCombi: store.outgoingEnqueueCombi.bind(store),
    outgoingClearMessageId: store.outgoingClearMessageId.bind(store),
    incomingStorePacket: store.incomingStorePacket.bind(store),
    cleanIncoming: store.cleanIncoming.bind(store)
  }
}
