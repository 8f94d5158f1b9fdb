import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { MemoryBudget } from './budget.ts'
import { Claims, type ClaimLimits, type Settle } from './claims.ts'
import { FrameReader, packetType } from './frame.ts'
import type { BrokerLimits } from './limits.ts'

// Stands between a socket and the parser of Aedes, which knows no limit of size: it buffered a
// declared 100 MB whole. The guard reads fixed headers only and hands every chunk on as it came.
//
//   socket --read()--> FrameReader --push()--> stream --> Aedes
//                         |  stops here while a PUBLISH waits for memory or for a place, or while
//                         |  CONNECT is being answered; what follows stays in the socket
//
// A connection that waits costs the one chunk its header came in, at most 64 kB (libuv's read size).

/**
 * For the server whose sockets are guarded. A high water mark of 0 reads one chunk when asked for
 * one, and nothing ahead.
 */
export const guardedTcp = {
  highWaterMark: 0,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 60_000
} as const

export interface GuardDeps {
  readonly socket: Socket
  readonly budget: MemoryBudget
  /** Counted here for all connections together. */
  readonly traffic: Traffic
  readonly report: (finding: Finding) => void
}

export interface Traffic {
  receivedBytes: number
  sentBytes: number
}

export type GuardLimits = ClaimLimits & { readonly packetBytesMax: number } & Pick<BrokerLimits,
  'connectBytesMax' | 'connectMs' | 'controlBytesMax' | 'progressMs' | 'uploadBytesPerSecondMin'>

/** What the guard saw. Each but `disconnect` has cut the connection. */
export type Finding =
  | { readonly kind: 'disconnect' }
  | { readonly kind: 'too-large', readonly declaredBytes: number, readonly bytesMax: number }
  | { readonly kind: 'not-connect', readonly firstByte: number }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'connect-late' }
  /** For longer than its keep alive. */
  | { readonly kind: 'silent' }
  /** In the middle of a packet. */
  | { readonly kind: 'stuck' }

export class Guard {
  /** What Aedes is given as the connection. */
  readonly stream: Duplex
  readonly #deps: GuardDeps
  readonly #limits: GuardLimits
  readonly #claims: Claims
  readonly #frame = new FrameReader()
  readonly #acceptedAt = performance.now()
  #phase: 'before-connect' | 'connecting' | 'connected' = 'before-connect'
  #ending: 'answering' | 'finished' | undefined
  #rest: Buffer | undefined
  #isWanted = false
  #isScheduled = false
  #keepAliveMs: number | undefined
  #lastByteAt = this.#acceptedAt
  #uploadStartedAt = this.#acceptedAt

  constructor (deps: GuardDeps, limits: GuardLimits) {
    this.#deps = deps
    this.#limits = limits
    const { socket, budget } = deps
    this.#claims = new Claims({ budget, onRoom: () => this.#startUpload() }, limits)
    this.stream = new Duplex({
      readableHighWaterMark: 1, // one push for one read()
      read: () => {
        this.#isWanted = true
        this.#schedule()
      },
      writev: (chunks, done) => this.#write(chunks, done),
      final: (done) => { socket.end(done) },
      destroy: (error, done) => {
        this.#claims.abandon()
        socket.destroy()
        done(error)
      }
    })
    socket.on('readable', () => this.#fill())
    socket.on('end', () => this.stream.push(null))
    socket.on('close', () => this.stream.destroy())
    socket.on('error', () => this.stream.destroy()) // a lost connection is no error of the protocol
  }

  /** CONNECT was read; from here on silence is measured. 0 seconds: no keep alive [MQTT-3.1.2-24]. */
  expectLife (keepAliveSeconds: number): void {
    this.#keepAliveMs = keepAliveSeconds * 1000
  }

  /** CONNACK was written: what the client sent behind its CONNECT may go on. */
  admit (): void {
    this.#phase = 'connected'
    this.#schedule()
  }

  /** For the next publish that reaches the hook. Undefined where the connection is gone. */
  claim (): Settle | undefined {
    return this.stream.destroyed ? undefined : this.#claims.claim()
  }

  /** Cuts a peer that is silent for too long. A peer that waits for us is alive. */
  check (now: number): void {
    if (this.#keepAliveMs === undefined) {
      if (now - this.#acceptedAt > this.#limits.connectMs) this.#cut({ kind: 'connect-late' })
      return
    }
    if (this.#isStopped || !this.#isWanted || this.#claims.held > 0) {
      this.#lastByteAt = now
      return
    }
    const silentMs = now - this.#lastByteAt
    const isSilent = this.#keepAliveMs > 0 && silentMs > this.#keepAliveMs * 1.5
    if (isSilent) return this.#cut({ kind: 'silent' })
    const isStuck = silentMs > this.#limits.progressMs || this.#isTooSlow(now)
    if (isStuck && !this.#frame.isBetweenPackets) this.#cut({ kind: 'stuck' })
  }

  /** Takes nothing more in; what was passed on may still be answered. */
  stopReading (): void {
    this.#ending = 'answering'
  }

  /** Sends what is written, then a FIN. Drops what still arrives: unread, it would turn the FIN into a RST. */
  finish (): void {
    this.#ending = 'finished'
    this.#rest = undefined
    this.stream.end()
    this.#schedule()
  }

  #isTooSlow (now: number): boolean {
    const { firstByte, declaredBytes } = this.#frame
    const expectedMs = declaredBytes / this.#limits.uploadBytesPerSecondMin * 1000
    return firstByte >> 4 === packetType.publish &&
      now - this.#uploadStartedAt > this.#limits.progressMs + expectedMs
  }

  get #isStopped (): boolean {
    return this.#claims.isBlocked || this.#ending !== undefined || this.stream.destroyed ||
      (this.#phase === 'connecting' && this.#frame.isBetweenPackets)
  }

  // Never pushes from within read(): Aedes calls read() while its parser is inside a packet, and a
  // parser entered again there emits that packet twice (mqtt-packet parser.js, _newPacket). A
  // socket never answers read() with new bytes in the same tick either.
  #schedule (): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    process.nextTick(() => {
      this.#isScheduled = false
      this.#fill()
    })
  }

  #fill (): void {
    if (this.#ending === 'finished') this.#discard()
    while (this.#isWanted && !this.#isStopped) {
      const chunk = this.#rest ?? this.#receive()
      if (chunk === null) return
      this.#rest = undefined
      this.#pass(chunk)
    }
  }

  #discard (): void {
    let chunk = this.#receive()
    while (chunk !== null) chunk = this.#receive()
  }

  #receive (): Buffer | null {
    const chunk = this.#deps.socket.read() as Buffer | null // no encoding is set
    if (chunk === null) return null
    this.#deps.traffic.receivedBytes += chunk.length
    this.#lastByteAt = performance.now()
    return chunk
  }

  // At most one packet ends in what is pushed at once. Aedes counts a packet that was read and a
  // 'readable' event against each other and reads only at zero (client.js, _parsingBatch): with
  // two held publishes out of one chunk it would not even answer the PINGREQ behind them.
  #pass (chunk: Buffer): void {
    const at = this.#frame.isInBody ? this.#frame.skipBody(chunk, 0) : this.#passHeader(chunk)
    if (this.stream.destroyed) return
    if (at < chunk.length) this.#rest = chunk.subarray(at)
    this.#isWanted = this.stream.push(at < chunk.length ? chunk.subarray(0, at) : chunk)
  }

  #passHeader (chunk: Buffer): number {
    const at = this.#frame.readHeader(chunk)
    if (at === undefined) return chunk.length
    this.#judgeHeader()
    return this.#isStopped ? at : this.#frame.skipBody(chunk, at)
  }

  #judgeHeader (): void {
    const { firstByte, declaredBytes, isMalformed } = this.#frame
    const type = firstByte >> 4
    if (isMalformed) return this.#cut({ kind: 'malformed' })
    if (this.#phase === 'before-connect') {
      if (firstByte !== packetType.connect << 4) return this.#cut({ kind: 'not-connect', firstByte })
      this.#phase = 'connecting'
    }
    const bytesMax = this.#bytesMax(type)
    if (declaredBytes > bytesMax) return this.#cut({ kind: 'too-large', declaredBytes, bytesMax })
    if (type === packetType.publish) {
      this.#uploadStartedAt = performance.now()
      this.#claims.enter(declaredBytes)
    }
    if (type === packetType.disconnect) this.#deps.report({ kind: 'disconnect' })
  }

  #bytesMax (type: number): number {
    const { connectBytesMax, packetBytesMax, controlBytesMax } = this.#limits
    if (type === packetType.connect) return connectBytesMax
    return type === packetType.publish ? packetBytesMax : controlBytesMax
  }

  #startUpload (): void {
    this.#uploadStartedAt = performance.now()
    this.#schedule()
  }

  #write (chunks: ReadonlyArray<{ chunk: Buffer }>, done: (error?: Error | null) => void): void {
    const bytes = Buffer.concat(chunks.map(({ chunk }) => chunk)) // mostly a PUBACK, in three pieces
    this.#deps.traffic.sentBytes += bytes.length
    this.#deps.socket.write(bytes, done)
  }

  #cut (finding: Finding): void {
    this.#deps.report(finding)
    this.stream.destroy()
  }
}
