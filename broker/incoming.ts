import type { PublishPacket } from 'aedes'

interface Received { readonly cmd?: string, readonly messageId?: number }

/** What of the store of Aedes holds the QoS 2 messages that a client has not released. */
interface IncomingStore {
  incomingGetPacket (client: object, packet: Received): Promise<unknown>
  incomingStorePacket (client: { readonly id: string }, packet: PublishPacket & Received): Promise<void>
}

/**
 * Aedes asks whether it has a packet identifier before it has stored the one it just got, so that a PUBLISH right
 * behind its like is passed on twice. Here the second waits until the first is stored [MQTT-4.3.3-2].
 */
export function storeInOrder (store: IncomingStore): void {
  const get = store.incomingGetPacket.bind(store)
  const keep = store.incomingStorePacket.bind(store)
  const arriving = new WeakMap<object, Map<number, Promise<void>>>() // goes with its client, also where none is stored
  const stored = new WeakMap<object, () => void>()
  store.incomingGetPacket = async (client, packet) => {
    const { cmd, messageId = 0 } = packet
    const before = arriving.get(client)?.get(messageId)
    const settled = cmd === 'publish' ? enter(client, messageId) : undefined
    await before
    try {
      const found = await get(client, packet)
      settled?.()
      return found
    } catch (error) {
      if (settled !== undefined) stored.set(packet, settled)
      throw error // it is not there
    }
  }
  store.incomingStorePacket = async (client, packet) => {
    await keep(client, packet)
    stored.get(packet)?.()
  }

  function enter (client: object, messageId: number): () => void {
    const byId = arriving.get(client) ?? new Map<number, Promise<void>>()
    arriving.set(client, byId)
    let settle = (): void => {}
    const promise = new Promise<void>((resolve) => { settle = resolve })
    byId.set(messageId, promise)
    return () => {
      if (byId.get(messageId) === promise) byId.delete(messageId)
      settle()
    }
  }
}
