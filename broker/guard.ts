import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { MemoryBudget } from './budget.ts'
import { Claims, type ClaimLimits, type Settle } from './claims.ts'
import type { Finding } from './finding.ts'
import { packetType, type Header } from './frame.ts'
import type { BrokerLimits } from './limits.ts'
import type { ImageMemory } from './image-memory.ts'
import { HeldPace } from './pace.ts'
import { PacketReader } from './packet-reader.ts'
import { Strict, unsupportedLevel, type StrictRefusal } from './strict.ts'
import { countReceived, SentPackets, type Traffic } from './traffic.ts'

// Stands between a socket and the parser of Aedes, which knows no limit of size: it buffered a
// declared 100 MB whole. The guard judges every fixed header, and hands on whole packets.
//
//   socket --PacketReader--> push() --> stream --> Aedes
//                 |  stops here while a PUBLISH waits for memory or for a place, or while
//                 |  CONNECT is being answered; what follows stays in the socket

export interface GuardDeps {
  readonly socket: Socket
  /** On the clock of `performance.now`: from here on its CONNECT is waited for. */
  readonly acceptedAt: number
  readonly budget: MemoryBudget
  readonly memory: ImageMemory
  /** Counted here for all connections together. */
  readonly traffic: Traffic
  readonly report: (finding: Finding) => void
}

export type GuardLimits = ClaimLimits & { readonly packetBytesMax: number } & Pick<BrokerLimits,
  'connectBytesMax' | 'connectMs' | 'verifyMs' | 'idleMs' | 'messagesPerSecond' | 'bytesPerSecond' | 'controlBytesMax' |
  'progressMs' | 'uploadBytesPerSecondMin'>

export class Guard {
  /** What Aedes is given as the connection. */
  readonly stream: Duplex
  readonly strict = new Strict()
  readonly #deps: GuardDeps
  readonly #limits: GuardLimits
  readonly #claims: Claims
  readonly #reader: PacketReader
  readonly #sent: SentPackets
  readonly #acceptedAt: number
  #phase: 'before-connect' | 'connecting' | 'connected' = 'before-connect'
  #ending: 'answering' | 'finished' | undefined
  readonly #pace: HeldPace
  #connectedAt = performance.now()
  #isWanted = false
  #isScheduled = false
  #keepAliveMs: number | undefined
  #lastByteAt = performance.now()
  /** Of the socket: of a WebSocket message that is not whole yet nothing else is seen. */
  #bytesRead = 0
  #uploadStartedAt = performance.now()

  constructor (deps: GuardDeps, limits: GuardLimits) {
    this.#deps = deps
    this.#limits = limits
    this.#acceptedAt = deps.acceptedAt
    const { budget, memory } = deps
    this.#sent = new SentPackets(deps.traffic)
    this.#pace = new HeldPace(limits, () => { this.#schedule() })
    this.#reader = new PacketReader(deps.socket, {
      memory,
      judge: (header) => this.#judge(header),
      received: (bytes) => this.#receive(bytes),
      isReading: () => this.#isReading
    })
    const { socket } = this.#reader
    this.#claims = new Claims({ budget, onRoom: () => this.#startUpload() }, limits)
    this.stream = new Duplex({
      readableHighWaterMark: 1, // one packet for one read()
      read: () => {
        this.#isWanted = true
        this.#schedule()
      },
      writev: (chunks, done) => this.#write(chunks, done),
      final: (done) => { socket.end(done) },
      destroy: (error, done) => {
        this.#claims.abandon()
        this.#pace.close()
        socket.destroy()
        done(error)
      }
    })
    socket.on('end', () => this.stream.push(null))
    socket.on('close', () => this.stream.destroy())
    socket.on('error', () => this.stream.destroy()) // a lost connection is no error of the protocol
  }

  /** CONNECT was read; from here on silence is measured. 0 seconds: no keep alive [MQTT-3.1.2-24]. */
  expectLife (keepAliveSeconds: number): void {
    this.#keepAliveMs = keepAliveSeconds * 1000
    this.#connectedAt = performance.now()
    this.#schedule() // reads no packet now, and sees the peer hang up
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
    if (this.#phase !== 'connected') {
      if (now - this.#connectedAt > this.#limits.verifyMs) this.#cut({ kind: 'verified-late' })
      return
    }
    const { bytesRead } = this.#deps.socket
    if (!this.#isReading || this.#claims.held > 0 || bytesRead !== this.#bytesRead) {
      this.#bytesRead = bytesRead
      this.#lastByteAt = now
      return
    }
    const silentMs = now - this.#lastByteAt
    const isSilent = this.#keepAliveMs > 0 && silentMs > this.#keepAliveMs * 1.5
    if (isSilent) return this.#cut({ kind: 'silent' })
    if (this.#keepAliveMs === 0 && silentMs > this.#limits.idleMs) return this.#cut({ kind: 'idle' })
    const isStuck = silentMs > this.#limits.progressMs || this.#isTooSlow(now)
    if (isStuck && !this.#reader.isBetweenPackets) this.#cut({ kind: 'stuck' })
  }

  /** Takes nothing more in; what was passed on may still be answered. */
  stopReading (): void {
    this.#ending = 'answering'
  }

  /** Sends what is written, then a FIN. Drops what still arrives: unread, it would turn the FIN into a RST. */
  finish (): void {
    this.#ending = 'finished'
    this.#reader.drop()
    this.stream.end()
    this.#schedule()
  }

  #isTooSlow (now: number): boolean {
    const { header } = this.#reader
    if (header === undefined || header.firstByte >> 4 !== packetType.publish) return false
    const expectedMs = header.declaredBytes / this.#limits.uploadBytesPerSecondMin * 1000
    return now - this.#uploadStartedAt > this.#limits.progressMs + expectedMs
  }

  /** False while the peer waits for us. */
  get #isReading (): boolean {
    if (this.#ending !== undefined) return this.#ending === 'finished'
    const isWaiting = (this.#phase === 'connecting' || this.#pace.isHeld) && this.#reader.isBetweenPackets
    return this.#isWanted && !this.#claims.isBlocked && !this.stream.destroyed && !isWaiting
  }

  /** While CONNECT is answered one read is made ahead: without it nobody would see the peer hang up. */
  get #isListening (): boolean {
    return this.#ending === undefined && this.#phase === 'connecting' && this.#reader.isBetweenPackets &&
      !this.#reader.isAhead && !this.stream.destroyed
  }

  // Never pushes from within read(): Aedes calls read() while its parser is inside a packet, and a
  // parser entered again there emits that packet twice (mqtt-packet parser.js, _newPacket).
  #schedule (): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    process.nextTick(() => {
      this.#isScheduled = false
      this.#advance()
      if (this.#isReading || this.#isListening) this.#reader.resume()
    })
  }

  #receive (bytes: number): void {
    this.#deps.traffic.receivedBytes += bytes
    this.#lastByteAt = performance.now()
    this.#advance()
  }

  // One packet for one read() of Aedes, which counts a packet that was read and a 'readable' event
  // against each other and reads only at zero (client.js, _parsingBatch): with two held publishes at
  // once it would not even answer the PINGREQ behind them.
  #advance (): void {
    if (this.#ending === 'finished') return this.#reader.drop()
    while (this.#isReading) {
      const packet = this.#reader.next()
      if (packet === undefined) return
      const verdict = this.strict.judge(packet)
      if (verdict.kind === 'sound') this.#isWanted = this.stream.push(packet)
      else if (verdict.kind !== 'unsolicited') return this.#decline(verdict)
    }
  }

  #decline (finding: StrictRefusal): void {
    if (finding.kind !== 'unsupported-level') return this.#cut(finding)
    this.#deps.report(finding)
    this.#reader.socket.write(unsupportedLevel)
    this.finish()
  }

  #judge (header: Header | 'malformed'): void {
    if (header === 'malformed') return this.#cut({ kind: 'malformed' })
    const { firstByte, declaredBytes } = header
    const type = firstByte >> 4
    countReceived(this.#deps.traffic, firstByte, declaredBytes)
    const isFirst = this.#phase === 'before-connect'
    if (isFirst && firstByte !== packetType.connect << 4) return this.#cut({ kind: 'not-connect', firstByte })
    const detail = this.strict.judgeHeader(header, isFirst)
    if (detail !== undefined) return this.#cut({ kind: 'violation', detail })
    if (isFirst) this.#phase = 'connecting'
    const bytesMax = this.#bytesMax(type)
    if (declaredBytes > bytesMax) return this.#cut({ kind: 'too-large', type, declaredBytes, bytesMax })
    const held = this.#pace.spend(declaredBytes, performance.now())
    if (held !== undefined) this.#deps.report({ kind: 'held-back', ...held })
    if (type === packetType.publish) {
      this.#uploadStartedAt = performance.now()
      this.#claims.enter(declaredBytes)
      if (this.#claims.lacksPlace) this.#deps.report({ kind: 'held-back', limit: 'in_flight' })
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
    const bytes = this.strict.sends(Buffer.concat(chunks.map(({ chunk }) => chunk))) // mostly a PUBACK, in three pieces
    this.#sent.add(bytes)
    this.#reader.socket.write(bytes, done)
  }

  #cut (finding: Finding): void {
    this.#deps.report(finding)
    this.stream.destroy()
  }
}
