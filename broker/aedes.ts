import { Aedes, type AedesOptions, type PublishPacket } from 'aedes'
import type { BrokerLimits } from './limits.ts'

type Publish = (packet: PublishPacket, client: unknown, done: () => void) => void

/**
 * Aedes with our hooks. A packet in `unrouted` is acknowledged, and then neither routed, queued
 * nor retained.
 */
export function createAedes (hooks: AedesOptions, limits: BrokerLimits, unrouted: WeakSet<object>): Aedes {
  const aedes = new Aedes({
    ...hooks,
    maxClientsIdLength: limits.clientIdLengthMax * 2, // ours (admission.ts), with the name before it (identify.ts)
    connectTimeout: limits.connectMs * 2, // the guard's deadline comes first, and says so
    drainTimeout: limits.drainMs
  })
  // Aedes publishes whatever it acknowledges. An image that went through its emitter would wait
  // there for the slowest subscriber of any topic; a refused topic must reach no subscriber at all.
  const route = aedes.publish.bind(aedes) as Publish
  const publish: Publish = (packet, client, done) => {
    if (unrouted.has(packet)) return done()
    packet.dup = false // whether it is sent again to a subscriber is another matter [MQTT-3.3.1-3]
    route(packet, client, done)
  }
  aedes.publish = publish as Aedes['publish'] // (packet, done) goes to route as it is; the types know no client
  return aedes
}
