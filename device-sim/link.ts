import { connect } from 'node:net'
import { MqttClient, Store, type IStore } from 'mqtt'

/** One connection of one device. When it is gone it stays gone; the device opens another. */
export interface Link {
  /** QoS 1. Resolves on the PUBACK; rejects, or never settles, once the link is closed. */
  publish (topic: string, payload: Buffer): Promise<void>
  /** Settles when the connection is gone, whoever closed it. */
  readonly closed: Promise<void>
  /** With DISCONNECT, or with a cut where something is in flight: MQTT.js would wait for the PUBACK. */
  close (isBusy: boolean): void
}

export type Opening =
  | { readonly kind: 'open', readonly link: Link }
  | { readonly kind: 'failed', readonly reason: string }

export interface LinkOptions {
  readonly host: string
  readonly port: number
  readonly clientId: string
}

const CONNECT_TIMEOUT_MS = 10_000
const KEEP_ALIVE_SECONDS = 60

/**
 * MQTT 3.1.1 with a clean session. MQTT.js would reconnect every second, all devices in step, and
 * resend by itself without a limit; here it does neither, and the device does both (device.ts).
 */
export async function openLink ({ host, port, clientId }: LinkOptions): Promise<Opening> {
  const client = new MqttClient(() => connect({ host, port, noDelay: true }), {
    clientId,
    clean: true,
    protocolVersion: 4,
    keepalive: KEEP_ALIVE_SECONDS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectPeriod: 0,
    resubscribe: false,
    outgoingStore: createForgetfulStore()
  })
  let reason = 'the connection was closed before CONNACK'
  client.on('error', (error) => { reason = error.message }) // a close follows
  const closed = new Promise<void>((resolve) => client.once('close', () => {
    client.end(true) // lets go of its timers
    resolve()
  }))
  const isOpen = await Promise.race([
    new Promise<boolean>((resolve) => client.once('connect', () => resolve(true))),
    closed.then(() => false)
  ])
  if (!isOpen) return { kind: 'failed', reason }
  return {
    kind: 'open',
    link: {
      closed,
      close: (isBusy) => { client.end(isBusy) },
      publish: (topic, payload) => publish(client, topic, payload)
    }
  }
}

// Neither publishAsync nor an async function: their frames would hold the payload until the PUBACK.
function publish (client: MqttClient, topic: string, payload: Buffer): Promise<void> {
  const { promise, callback } = createPuback()
  client.publish(topic, payload, { qos: 1 }, callback)
  return promise
}

function createPuback (): { readonly promise: Promise<void>, readonly callback: (error?: Error) => void } {
  let callback: (error?: Error) => void = () => {}
  const promise = new Promise<void>((resolve, reject) => {
    callback = (error) => error === undefined || error === null ? resolve() : reject(error)
  })
  return { promise, callback }
}

// MQTT.js keeps every PUBLISH until its PUBACK, to send it again after a reconnect. The device renders
// the image again instead: at 1,000 devices in an outage that is 250 MB less.
function createForgetfulStore (): IStore {
  const empty = new Store()
  return {
    put (_packet, done) { done(); return this },
    get (_packet, done) { done(new Error('nothing is kept')); return this },
    del (_packet, done) { done(); return this },
    createStream: () => empty.createStream(),
    close: (done) => { done() }
  }
}
