// A store that behaves badly on purpose, for tests and the demo. Knobs are turned while it runs.

import { setMaxListeners } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { refusalAs, type StoreError } from './errors.ts'

export interface Knobs {
  /** Before a request is looked at. */
  readonly latencyMs: number
  /** How fast request bodies are read, all connections together. */
  readonly bytesPerSecond: number
  /** The share of requests, 0 to 1, that are answered with `error`. */
  readonly errorRate: number
  readonly error: StoreError
  /**
   * Where the connection is reset: before the request is looked at, in the middle of its body (a
   * request without one goes through), or when it is carried out and only the answer is missing.
   */
  readonly reset: 'never' | 'request' | 'body' | 'answer'
  /**
   * Requests are not answered. They go on once this is turned off, and some whose client has given up too:
   * what was sent whole is carried out, as with any server that hangs for a while. A connection on which
   * nothing moves for `idleMsMax` is closed all the same.
   */
  readonly stall: boolean
  /** Nothing listens: connections are cut, new ones refused. */
  readonly outage: boolean
}

export interface Counts {
  readonly requests: number
  /** Request bodies as they came, framing included. */
  readonly bodyBytes: number
  /** Everything read from sockets: request lines, headers and bodies. */
  readonly socketBytes: number
}

export interface Faults {
  /** Turns some knobs and leaves the others; resolves when that is in force. */
  set (knobs: Partial<Knobs>): Promise<void>
  /** Everything as at the start. Counts go on. */
  clear (): Promise<void>
  /** The next requests are answered with this error and not carried out. */
  failNext (requests: number, error?: StoreError): void
  /** Puts of keys that match are answered with this error from now on. */
  refuseKeys (pattern: RegExp, error: StoreError): void
  counts (): Counts
}

/** The longest that a timer of Node takes. */
const timerMsMax = 2 ** 31 - 1

const slowDown: StoreError = { status: 503, code: 'SlowDown' }

const healthy: Knobs = {
  latencyMs: 0,
  bytesPerSecond: Infinity,
  errorRate: 0,
  error: slowDown,
  reset: 'never',
  stall: false,
  outage: false
}

/** What the knobs need of the listener. */
export interface Line {
  /** Stops listening and cuts every connection, or listens again on the same port. */
  setListening (listening: boolean): Promise<void>
  socketBytes (): number
}

/** Where the handlers ask what is to go wrong. */
export class FaultPlan implements Faults {
  readonly #line: Line
  readonly #random: () => number
  #knobs = healthy
  #failing = { requests: 0, error: slowDown }
  #refusals: readonly { readonly pattern: RegExp, readonly error: StoreError }[] = []
  #turned = controller()
  #requests = 0
  #bodyBytes = 0
  #freeAt = 0

  constructor (line: Line, random = Math.random) {
    this.#line = line
    this.#random = random
  }

  async set (knobs: Partial<Knobs>): Promise<void> {
    this.#knobs = { ...this.#knobs, ...knobs }
    this.#freeAt = 0
    this.#turned.abort()
    this.#turned = controller()
    if (knobs.outage !== undefined) await this.#line.setListening(!knobs.outage)
  }

  async clear (): Promise<void> {
    this.#failing = { requests: 0, error: slowDown }
    this.#refusals = []
    await this.set(healthy)
  }

  failNext (requests: number, error = slowDown): void {
    this.#failing = { requests, error }
  }

  refuseKeys (pattern: RegExp, error: StoreError): void {
    this.#refusals = [...this.#refusals, { pattern, error }]
  }

  counts (): Counts {
    return { requests: this.#requests, bodyBytes: this.#bodyBytes, socketBytes: this.#line.socketBytes() }
  }

  get reset (): Knobs['reset'] { return this.#knobs.reset }

  /** Holds a new request back, or loses it, as the knobs say. */
  async admit (response: ServerResponse): Promise<void> {
    this.#requests++
    await this.#wait(this.#knobs.latencyMs, response)
    while (this.#knobs.stall && !response.destroyed) await this.#wait(Infinity, response)
    if (this.#knobs.reset !== 'request') return
    response.req.socket.resetAndDestroy()
    throw Object.assign(new Error('reset by a fault'), { code: 'ECONNRESET' })
  }

  /** Throws where the next request is to fail. */
  admitRequest (): void {
    if (this.#failing.requests > 0) {
      this.#failing.requests--
      throw made(this.#failing.error)
    }
    if (this.#random() < this.#knobs.errorRate) throw made(this.#knobs.error)
  }

  admitPut (key: string): void {
    // Unlike test(), search() keeps no state in a pattern that has the flag g.
    const found = this.#refusals.find(({ pattern }) => key.search(pattern) >= 0)
    if (found !== undefined) throw made(found.error)
  }

  /** Counts bytes of a body and resolves when the bandwidth has room for more. */
  async pace (bytes: number, response: ServerResponse): Promise<void> {
    this.#bodyBytes += bytes
    const now = performance.now()
    this.#freeAt = Math.max(now, this.#freeAt) + bytes / this.#knobs.bytesPerSecond * 1000
    if (this.#freeAt > now) await this.#wait(this.#freeAt - now, response)
  }

  /** Ends early where the knobs are turned or the connection is gone; the caller finds out what to do. */
  async #wait (ms: number, response: ServerResponse): Promise<void> {
    if (ms <= 0 || response.destroyed) return
    const early = new AbortController()
    const wake = () => { early.abort() }
    const turned = this.#turned.signal
    response.once('close', wake)
    turned.addEventListener('abort', wake)
    await sleep(Math.min(ms, timerMsMax), undefined, { signal: early.signal }).catch(() => {})
    turned.removeEventListener('abort', wake)
    response.off('close', wake)
  }
}

function controller (): AbortController {
  const turn = new AbortController()
  setMaxListeners(0, turn.signal) // every paced request listens
  return turn
}

function made (error: StoreError) {
  return refusalAs(error, `${error.code}: a fault set on this store`)
}
