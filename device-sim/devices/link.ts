import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, TLSSocket } from 'node:tls'
import { generate, parser, type Packet } from 'mqtt-packet'
import { formatPublish } from './publish.ts'
import { openWire, TIMER_MS_EARLY, type LinkPace, type Wire } from './wire.ts'

/** How a connection ends. */
export type Ending =
  /** DISCONNECT, then the socket is closed. */
  | 'clean'
  /** Reset, or under TLS ended, without a word. */
  | 'abrupt'
  /** The device is gone and its socket is not: the broker hears nothing any more, not even an end. */
  | 'half-open'
  /** Cut in the middle of the next PUBLISH. */
  | 'mid-publish'

export interface PublishOptions {
  /** One that is not in use on this connection. */
  readonly packetId?: number | undefined
  readonly isDup?: boolean
}

/** One connection of one device. When it is gone it stays gone; the device opens another. */
export interface Link {
  /** QoS 1. Resolves on the PUBACK; rejects once the link is closed. */
  publish (topic: string, payload: Buffer | readonly Buffer[], options?: PublishOptions): Promise<void>
  /** Settles when the connection is gone, whoever closed it. */
  readonly closed: Promise<void>
  /** With DISCONNECT, or with a cut where something is in flight. */
  close (isBusy: boolean): void
  end (how: Ending): void
}

export type Opening =
  | { readonly kind: 'open', readonly link: Link }
  | NotOpened

export interface NotOpened {
  readonly kind: 'failed'
  readonly reason: string
  /** By a broker that answered; otherwise nothing did, or something that is no broker. */
  readonly isRefused: boolean
}

export interface Trust {
  readonly ca?: Buffer | undefined
  readonly cert?: Buffer | undefined
  readonly key?: Buffer | undefined
}

export interface LinkOptions {
  readonly host: string
  readonly port: number
  readonly clientId: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly tls?: Trust | undefined
  /** False keeps the session over a reconnect, as resending with DUP needs it. */
  readonly isClean?: boolean
  readonly pace?: LinkPace
}

const CONNECT_TIMEOUT_MS = 10_000
const KEEP_ALIVE_SECONDS = 60
/** One and a half keep alives, after which a broker gives a silent client up [MQTT-3.1.2-24]. */
const HALF_OPEN_MS = KEEP_ALIVE_SECONDS * 1500
const FREE: LinkPace = { bytesPerSecond: Infinity, latencyMs: 0 }

const VERSION = 'MQTT 3.1.1, the only version that these devices speak: let it take 3.1.1, or name another with --host and --port'

// MQTT 3.1.1, table 3.1.
const REFUSALS: Readonly<Record<number, string>> = {
  1: `it does not take ${VERSION}`,
  2: 'it does not take this client id: see --prefix',
  3: 'it says that it is unavailable: try again later',
  4: 'wrong user name or password: see -u and -P',
  5: 'this device may not connect: see -u and -P',
  132: `it does not take ${VERSION}` // MQTT 5.0, 3.2.2.2, from a broker that knows no older one
}

/** MQTT 3.1.1. It neither reconnects nor resends; the device does both (device.ts). */
export async function openLink (options: LinkOptions): Promise<Opening> {
  const socket = openSocket(options).setNoDelay(true)
  const connection = new Connection(socket, options.pace ?? FREE)
  return await connection.connect(options) ?? { kind: 'open', link: connection }
}

function openSocket ({ host, port, tls }: LinkOptions): Socket {
  if (tls === undefined) return connectTcp({ host, port })
  const { ca, cert, key } = tls
  return connectTls({ host, port, ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) })
}

interface Puback {
  readonly resolve: () => void
  readonly reject: (cause: Error) => void
}

class Connection implements Link {
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #wire: Wire
  readonly #pubacks = new Map<number, Puback>()
  #packetId = 0
  #reason = 'it closed the connection before CONNACK, as one that wants TLS does'
  #isHeard = true
  #isCutNext = false
  #answer: (answer: NotOpened | undefined) => void = () => {}
  #gone: () => void = () => {}

  constructor (socket: Socket, pace: LinkPace) {
    this.#socket = socket
    this.#wire = openWire(socket, pace)
    this.closed = new Promise((resolve) => { this.#gone = resolve })
    const packets = parser({ protocolVersion: 4 })
    packets.on('packet', (packet) => { this.#receive(packet) })
    packets.on('error', ({ message }) => {
      this.#reason = `what answers is not MQTT: ${message}`
      socket.destroy()
    })
    socket.on('data', (chunk) => {
      if (pace.latencyMs === 0) packets.parse(chunk)
      else setTimeout(() => { packets.parse(chunk) }, pace.latencyMs + TIMER_MS_EARLY)
    })
    socket.on('error', (error) => { this.#reason = describe(error) }) // a close follows
    socket.once('close', () => { this.#forget() })
  }

  /** Undefined once the broker has let the device in; else why it has not. */
  async connect ({ clientId, username, password, isClean = true }: LinkOptions): Promise<NotOpened | undefined> {
    const timer = setTimeout(() => {
      this.#reason = `no CONNACK within ${CONNECT_TIMEOUT_MS / 1000} s`
      this.#socket.destroy()
    }, CONNECT_TIMEOUT_MS)
    const answered = new Promise<NotOpened | undefined>((resolve) => { this.#answer = resolve })
    this.#wire.write([generate({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: isClean,
      clientId,
      keepalive: KEEP_ALIVE_SECONDS,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password: Buffer.from(password) })
    })])
    const notOpened = await answered
    clearTimeout(timer)
    if (notOpened !== undefined) this.#socket.destroy()
    else this.#keepAlive()
    return notOpened
  }

  // Nothing of this frame may be held until the PUBACK, or an outage fills the memory with images.
  publish (
    topic: string, payload: Buffer | readonly Buffer[], { packetId, isDup = false }: PublishOptions = {}
  ): Promise<void> {
    const id = packetId ?? this.#nextId()
    const parts = formatPublish({ topic, payload: [payload].flat(), id, isDup })
    if (this.#isCutNext) this.#wire.writeHalf(parts)
    else this.#wire.write(parts)
    return this.#puback(id)
  }

  close (isBusy: boolean): void {
    this.end(isBusy ? 'abrupt' : 'clean')
  }

  end (how: Ending): void {
    switch (how) {
      case 'clean':
        this.#wire.writeLast([generate({ cmd: 'disconnect' })])
        this.#socket.setTimeout(CONNECT_TIMEOUT_MS, () => { this.#socket.destroy() })
        return
      case 'abrupt':
        // Node resets plain sockets only (ERR_INVALID_HANDLE_TYPE); what waits on this one is not sent either way.
        if (this.#socket instanceof TLSSocket) this.#socket.destroy()
        else this.#socket.resetAndDestroy()
        return
      case 'mid-publish':
        this.#isCutNext = true
        return
      case 'half-open':
        this.#wire.stop()
        this.#socket.pause()
        setTimeout(() => { this.#socket.destroy() }, HALF_OPEN_MS).unref()
        this.#socket.unref()
        this.#forget()
    }
  }

  #puback (id: number): Promise<void> {
    return new Promise((resolve, reject) => { this.#pubacks.set(id, { resolve, reject }) })
  }

  #nextId (): number {
    do this.#packetId = this.#packetId % 65_535 + 1
    while (this.#pubacks.has(this.#packetId))
    return this.#packetId
  }

  #receive (packet: Packet): void {
    this.#isHeard = true
    if (packet.cmd === 'connack') {
      const code = packet.returnCode ?? 0
      this.#answer(code === 0 ? undefined : { kind: 'failed', reason: REFUSALS[code] ?? `it gives the code ${code}`, isRefused: true })
    }
    if (packet.cmd !== 'puback' || packet.messageId === undefined) return
    this.#pubacks.get(packet.messageId)?.resolve()
    this.#pubacks.delete(packet.messageId)
  }

  #keepAlive (): void {
    const timer = setInterval(() => {
      if (!this.#isHeard) {
        this.#socket.destroy()
        return
      }
      this.#isHeard = false
      this.#wire.write([generate({ cmd: 'pingreq' })])
    }, KEEP_ALIVE_SECONDS * 1000 / 2)
    void this.closed.then(() => { clearInterval(timer) })
  }

  #forget (): void {
    this.#answer({ kind: 'failed', reason: this.#reason, isRefused: false })
    const cause = new Error(this.#reason)
    for (const { reject } of this.#pubacks.values()) reject(cause)
    this.#pubacks.clear()
    this.#gone()
  }
}

function describe (error: Error & { readonly code?: string }): string {
  if (error.code === 'EPROTO') return 'it does not speak TLS' // and OpenSSL would say so in its own way
  return error.message === '' ? error.code ?? 'no connection' : error.message // of several addresses, none answered
}
