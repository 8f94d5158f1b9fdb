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
  write (parts: readonly Buffer[]): void
  /** Writes no more than half of the bytes, and ends the connection in the middle of the packet. */
  writeHalf (parts: readonly Buffer[]): void
}

export function openWire (socket: Socket, pace: LinkPace): Wire {
  const isFree = pace.bytesPerSecond === Infinity && pace.latencyMs === 0
  return isFree ? openFreeWire(socket) : new PacedWire(socket, pace)
}

function openFreeWire (socket: Socket): Wire {
  return {
    write (parts) {
      socket.cork()
      for (const part of parts) socket.write(part)
      socket.uncork()
    },
    writeHalf (parts) { socket.end(halfOf(parts)) }
  }
}

function halfOf (parts: readonly Buffer[]): Buffer {
  const whole = Buffer.concat(parts)
  return whole.subarray(0, whole.length >> 1)
}

/** A link sends in pieces this long. */
const PIECE_SECONDS = 0.02
const PIECE_BYTES_MIN = 512
const PIECE_BYTES_MAX = 65_536

class PacedWire implements Wire {
  readonly #socket: Socket
  readonly #pace: LinkPace
  readonly #pieceBytes: number
  #waiting: Buffer[] = []
  #isLast = false
  #isSending = false

  constructor (socket: Socket, pace: LinkPace) {
    this.#socket = socket
    this.#pace = pace
    const bytes = Math.round(pace.bytesPerSecond * PIECE_SECONDS)
    this.#pieceBytes = Math.min(PIECE_BYTES_MAX, Math.max(PIECE_BYTES_MIN, bytes))
  }

  write (parts: readonly Buffer[]): void {
    this.#waiting.push(...parts)
    if (!this.#isSending) void this.#send()
  }

  writeHalf (parts: readonly Buffer[]): void {
    this.#isLast = true
    this.write([halfOf(parts)])
  }

  async #send (): Promise<void> {
    this.#isSending = true
    await sleep(this.#pace.latencyMs)
    let freeAt = performance.now()
    for (let part = this.#waiting.shift(); part !== undefined; part = this.#waiting.shift()) {
      for (let at = 0; at < part.length; at += this.#pieceBytes) {
        if (this.#socket.destroyed) return
        const piece = part.subarray(at, at + this.#pieceBytes)
        freeAt += piece.length / this.#pace.bytesPerSecond * 1000
        this.#socket.write(piece)
        const waitMs = freeAt - performance.now()
        if (waitMs > 0) await sleep(waitMs)
      }
    }
    this.#isSending = false
    if (this.#isLast) this.#socket.end()
  }
}
