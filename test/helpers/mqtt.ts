import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt'
import type { BrokerOptions } from '../../broker/broker-options.ts'
import { startBroker, type Broker } from '../../broker/broker.ts'
import { MemoryBudget } from '../../broker/budget.ts'
import type { Custody, Publish, TakeCustody } from '../../broker/custody.ts'
import type { BrokerEvent } from '../../broker/events.ts'
import { eventually } from './eventually.ts'

export interface TestBroker {
  readonly broker: Broker
  readonly port: number
  readonly budget: MemoryBudget
  readonly events: BrokerEvent[]
  /** The events of one kind so far. */
  seen<Kind extends BrokerEvent['kind']> (kind: Kind): Array<Extract<BrokerEvent, { kind: Kind }>>
}

export interface TestBrokerOptions extends Partial<BrokerOptions> {
  readonly takeCustody?: TakeCustody
  readonly budgetBytes?: number
}

/** A broker on a free port of 127.0.0.1 that takes every image, unless told otherwise. */
export async function startTestBroker (t: TestContext, options: TestBrokerOptions = {}): Promise<TestBroker> {
  const { takeCustody = async () => ({ kind: 'taken' }), budgetBytes = 16_000_000, ...rest } = options
  const events: BrokerEvent[] = []
  const budget = new MemoryBudget(budgetBytes)
  const broker = await startBroker({ takeCustody, budget, observe: (event) => { events.push(event) } }, {
    listen: { host: '127.0.0.1', port: 0 },
    topicPrefix: 'devices',
    packetBytesMax: 8_000_000,
    connectionsMax: 1_000,
    anonymous: 'loopback',
    ...rest,
    limits: { closeMs: 200, lingerMs: 200, pulseMs: 50, ...rest.limits }
  })
  t.after(() => broker.close())
  const seen = <Kind extends BrokerEvent['kind']>(kind: Kind): Array<Extract<BrokerEvent, { kind: Kind }>> =>
    events.filter((event): event is Extract<BrokerEvent, { kind: Kind }> => event.kind === kind)
  return { broker, port: broker.port, budget, events, seen }
}

/** Holds every image it is asked to take until the test settles it. */
export class HeldCustody {
  readonly publishes: Publish[] = []
  readonly #waiting: Array<(custody: Custody) => void> = []
  #open: Custody | undefined

  readonly takeCustody: TakeCustody = (publish) => {
    this.publishes.push(publish)
    if (this.#open !== undefined) return Promise.resolve(this.#open)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  get unsettled (): number { return this.#waiting.length }

  /** Settles the oldest that waits, once there is one. */
  async settle (custody: Custody = { kind: 'taken' }): Promise<void> {
    const resolve = await eventually(() => this.#waiting.shift(), { what: 'an image to settle' })
    resolve(custody)
  }

  /** Settles all that wait and all that come. */
  open (custody: Custody = { kind: 'taken' }): void {
    this.#open = custody
    for (const resolve of this.#waiting.splice(0)) resolve(custody)
  }
}

/** A device with a real MQTT client that does not reconnect by itself. */
export async function connectDevice (t: TestContext, port: number, options: IClientOptions = {}): Promise<MqttClient> {
  const { device } = await connectReader(t, port, options)
  return device
}

/** The same, with every message it gets, from the first on. */
export async function connectReader (
  t: TestContext, port: number, options: IClientOptions = {}
): Promise<{ readonly device: MqttClient, readonly messages: IPublishPacket[] }> {
  const device = mqtt.connect(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, ...options })
  const messages: IPublishPacket[] = []
  device.on('message', (_topic, _payload, packet) => { messages.push(packet) })
  device.on('error', () => {}) // the tests look at what follows
  t.after(() => device.endAsync(true))
  await eventually(() => device.connected, { what: 'CONNACK' })
  return { device, messages }
}

/** The next message the client gets. Call it before what makes it arrive. */
export function nextMessage (client: MqttClient): Promise<IPublishPacket> {
  return new Promise((resolve) => client.once('message', (_topic, _payload, packet) => resolve(packet)))
}

/** A socket that speaks MQTT as badly as a test wants it to. */
export class RawClient {
  readonly socket: Socket
  #received = Buffer.alloc(0)

  constructor (socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => { this.#received = Buffer.concat([this.#received, chunk]) })
    socket.on('error', () => {}) // cut by the broker: `closed` tells
  }

  /** Everything the broker sent. */
  get received (): Buffer { return this.#received }

  get isClosed (): boolean { return this.socket.closed || this.socket.readableEnded }

  send (...parts: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(parts))
  }

  async closed (timeoutMs = 5000): Promise<void> {
    await eventually(() => this.isClosed, { timeoutMs, what: 'the end of the connection' })
  }

  receives (bytes: Buffer): Promise<void> {
    return this.until((received) => received.includes(bytes), bytes.toString('hex'))
  }

  /** Resolves once what was received is what is looked for. */
  async until (isThere: (received: Buffer) => boolean, what: string): Promise<void> {
    const signal = AbortSignal.timeout(20_000)
    while (!isThere(this.#received)) {
      if (this.isClosed) throw new Error(`the broker closed the connection before it sent ${what}`)
      await Promise.race([once(this.socket, 'data', { signal }), once(this.socket, 'close', { signal })])
    }
  }
}

export async function openRaw (t: TestContext, port: number): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  t.after(() => socket.destroy())
  return new RawClient(socket)
}

/** Opens a socket and is admitted, to a session that was kept or to a new one. */
export async function connectRaw (t: TestContext, port: number, options: ConnectOptions = {}): Promise<RawClient> {
  const client = await openRaw(t, port)
  client.send(connectPacket(options))
  await client.until((received) => received.length >= 4, 'CONNACK')
  if (client.received[3] !== 0) throw new Error(`CONNACK ${client.received[3]}`)
  return client
}

export interface ConnectOptions {
  readonly clientId?: string
  readonly keepAliveSeconds?: number
  readonly clean?: boolean
  readonly version?: number
}

export function connectPacket (options: ConnectOptions = {}): Buffer {
  const { clientId = '', keepAliveSeconds = 0, clean = true, version = 4 } = options
  const properties = version === 5 ? Buffer.of(0) : Buffer.of()
  const body = Buffer.concat([
    text('MQTT'), Buffer.of(version, clean ? 2 : 0), uint16(keepAliveSeconds), properties, text(clientId)
  ])
  return Buffer.concat([header(0x10, body.length), body])
}

export interface PublishOptions {
  readonly topic: string
  readonly payload: Buffer
  readonly qos?: 0 | 1 | 2
  readonly packetId?: number
  readonly retain?: boolean
}

export function publishPacket ({ topic, payload, qos = 1, packetId = 1, retain = false }: PublishOptions): Buffer {
  const id = qos === 0 ? Buffer.of() : uint16(packetId)
  const head = Buffer.concat([text(topic), id])
  return Buffer.concat([header(0x30 | qos << 1 | (retain ? 1 : 0), head.length + payload.length), head, payload])
}

/** The fixed header of a packet with `length` bytes behind it, which need not follow. */
export function header (firstByte: number, length: number): Buffer {
  const bytes = [firstByte]
  for (let left = length; bytes.length === 1 || left > 0; left = Math.floor(left / 128)) {
    bytes.push(left % 128 + (left > 127 ? 128 : 0))
  }
  return Buffer.from(bytes)
}

export const connack = (returnCode: number): Buffer => Buffer.of(0x20, 2, 0, returnCode)
export const puback = (packetId: number): Buffer => Buffer.concat([Buffer.of(0x40, 2), uint16(packetId)])
export const pubrec = (packetId: number): Buffer => Buffer.concat([Buffer.of(0x50, 2), uint16(packetId)])
export const pubrel = (packetId: number): Buffer => Buffer.concat([Buffer.of(0x62, 2), uint16(packetId)])
export const pubcomp = (packetId: number): Buffer => Buffer.concat([Buffer.of(0x70, 2), uint16(packetId)])
export const pingreq = Buffer.of(0xc0, 0)
export const pingresp = Buffer.of(0xd0, 0)
export const disconnect = Buffer.of(0xe0, 0)

function text (value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([uint16(bytes.length), bytes])
}

function uint16 (value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff)
}

/** A client that is connected, or whose connection has ended: `connected` says which. It does not try again. */
export async function connectOrNot (t: TestContext, url: string, options: IClientOptions = {}): Promise<MqttClient> {
  const client = mqtt.connect(url, { reconnectPeriod: 0, ...options })
  client.on('error', () => {}) // the tests look at what follows
  t.after(() => client.endAsync(true))
  await new Promise<void>((resolve) => {
    client.once('connect', () => { resolve() })
    client.once('close', () => { resolve() })
  })
  return client
}
