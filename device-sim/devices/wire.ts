// How a device's bytes get onto its line: at once, or at the pace of a slow link.

import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface LinkPace {
  /** What the device can send a second; Infinity where nothing holds it. */
  readonly bytesPerSecond: number
  /** Each way. */
  readonly latencyMs: number
}

export interface Wire {
  /** A whole packet. */
  write (parts: readonly Buffer[]): void
  /** Writes no more than half of the bytes, and ends the connection in the middle of the packet. */
  writeHalf (parts: readonly Buffer[]): void
  /** Ends the connection behind this packet. Of what the pace holds only a packet that was begun is sent to its end. */
  writeLast (parts: readonly Buffer[]): void
  /** Nothing more is written, not even the rest of a packet. */
  stop (): void
}

export function openWire (socket: Socket, pace: LinkPace): Wire {
  const isFree = pace.bytesPerSecond === Infinity && pace.latencyMs === 0
  return isFree ? openFreeWire(socket) : new PacedWire(socket, pace)
}

function openFreeWire (socket: Socket): Wire {
  const write = (parts: readonly Buffer[]): void => {
    socket.cork()
    for (const part of parts) socket.write(part)
    socket.uncork()
  }
  return {
    write,
    writeHalf (parts) { socket.end(halfOf(parts)) },
    writeLast (parts) {
      write(parts)
      socket.end()
    },
    stop () {} // what was written is the system's
  }
}

function halfOf (parts: readonly Buffer[]): Buffer {
  const whole = Buffer.concat(parts)
  return whole.subarray(0, whole.length >> 1)
}

/** A timer counts from the start of the turn in which it was set, and may so be early by the rest of it. */
export const TIMER_MS_EARLY = 1
/** A link sends in pieces this long. */
const PIECE_SECONDS = 0.02
const PIECE_BYTES_MIN = 512
const PIECE_BYTES_MAX = 65_536

class PacedWire implements Wire {
  readonly #socket: Socket
  readonly #pace: LinkPace
  readonly #pieceBytes: number
  #waiting: Array<readonly Buffer[]> = []
  #isLast = false
  #isSending = false
  #isStopped = false

  constructor (socket: Socket, pace: LinkPace) {
    this.#socket = socket
    this.#pace = pace
    const bytes = Math.round(pace.bytesPerSecond * PIECE_SECONDS)
    this.#pieceBytes = Math.min(PIECE_BYTES_MAX, Math.max(PIECE_BYTES_MIN, bytes))
  }

  write (parts: readonly Buffer[]): void {
    if (this.#isLast || this.#isStopped) return
    this.#waiting.push(parts)
    if (!this.#isSending) void this.#send()
  }

  writeHalf (parts: readonly Buffer[]): void {
    this.write([halfOf(parts)])
    this.#isLast = true
  }

  writeLast (parts: readonly Buffer[]): void {
    if (!this.#isLast) this.#waiting = []
    this.write(parts)
    this.#isLast = true
  }

  stop (): void {
    this.#isStopped = true
    this.#waiting = []
  }

  async #send (): Promise<void> {
    this.#isSending = true
    await sleep(this.#pace.latencyMs + TIMER_MS_EARLY)
    let freeAt = performance.now()
    for (let packet = this.#waiting.shift(); packet !== undefined; packet = this.#waiting.shift()) {
      for (const piece of this.#pieces(packet)) {
        if (this.#socket.destroyed || this.#isStopped) return
        freeAt += piece.length / this.#pace.bytesPerSecond * 1000
        this.#socket.write(piece)
        const waitMs = freeAt - performance.now()
        if (waitMs > 0) await sleep(waitMs)
      }
    }
    this.#isSending = false
    if (this.#isLast) this.#socket.end()
  }

  * #pieces (packet: readonly Buffer[]): Generator<Buffer> {
    for (const part of packet) {
      for (let at = 0; at < part.length; at += this.#pieceBytes) yield part.subarray(at, at + this.#pieceBytes)
    }
  }
}
