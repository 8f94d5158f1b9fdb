import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Condition } from '../condition.ts'
import type { Entry } from '../entry.ts'
import type { Observe } from '../events.ts'
import type { ObjectStore, PutOutcome } from '../objects/object-store.ts'
import { EntryCorrupt } from '../spool/errors.ts'
import type { Spool } from '../spool/spool.ts'
import type { Allowance } from './allowance.ts'
import { backoffMs, Breaker, mayBeEntrys, mayPut, type LineState } from './breaker.ts'
import { objectKey, objectMetadata } from './object-key.ts'
import { Scheduler, type SchedulerOptions } from './scheduler.ts'

export interface UplinkDeps {
  readonly spool: Spool
  readonly store: ObjectStore
  /** The store's sockets draw on it; the uplink only looks at how much waits for it. */
  readonly allowance: Allowance
  readonly observe: Observe
}

export interface UplinkOptions {
  readonly key: string
  readonly concurrency: number
  readonly scheduler?: SchedulerOptions
}

export interface UplinkLevels {
  /** Sequences of the entries whose put is under way. */
  readonly uploading: ReadonlySet<number>
  /** Sequences of the entries that were tried and wait for another attempt. */
  readonly retrying: ReadonlySet<number>
  readonly uploadingBytes: number
  readonly retryingBytes: number
  readonly bytesPerSecond: number
  readonly concurrency: number
  readonly state: LineState
  readonly heldSeconds: number
  /** ms since epoch. */
  readonly lastStoredAt: number | undefined
}

/** Attempts after which an entry is set aside, provided that others were stored meanwhile. */
const ATTEMPTS_MAX = 8
const READ_AGAIN_MS = 5_000
/** A line on which nothing waited for so long has room. */
const IDLE_MS_MAX = 40
/** What a put needs before its first byte, with a moment in which the disk or this process is held up. */
const LEAD_SECONDS = 0.1

/** Lets what waits in the spool out to the store, as much at a time as keeps the line busy. */
export class Uplink {
  readonly #deps: UplinkDeps
  readonly #options: UplinkOptions
  readonly #scheduler: Scheduler
  readonly #breaker: Breaker
  readonly #inFlight = new Map<number, Entry>()
  /** Of entries that failed: how often, and how many objects were stored when they first did. */
  readonly #attempts = new Map<number, { readonly count: number, readonly storedBefore: number }>()
  readonly #ended = new Condition()
  /** The put begun last, and what the allowance had given when it was. */
  #begun: { readonly entry: Entry, readonly givenBytes: number } | undefined
  /** The one put that is tried while the store is thought to be down. */
  #trial: Entry | undefined
  #stored = 0
  #lastStoredAt: number | undefined

  constructor (deps: UplinkDeps, options: UplinkOptions) {
    this.#deps = deps
    this.#options = options
    this.#scheduler = new Scheduler(deps.spool, options.scheduler)
    this.#breaker = new Breaker(deps.observe)
  }

  get levels (): UplinkLevels {
    const { allowance } = this.#deps
    return {
      uploading: new Set(this.#inFlight.keys()),
      retrying: this.#scheduler.retrying,
      uploadingBytes: [...this.#inFlight.values()].reduce((sum, { bytes }) => sum + bytes, 0),
      retryingBytes: this.#scheduler.retryingBytes,
      bytesPerSecond: allowance.bytesPerSecond,
      concurrency: this.#options.concurrency,
      state: this.#breaker.state,
      heldSeconds: allowance.heldSeconds,
      lastStoredAt: this.#lastStoredAt
    }
  }

  /** Begins nothing new once `stop` aborts, cuts what is under way once `cut` does; rejects only on a fault. */
  async run (stop: AbortSignal, cut: AbortSignal): Promise<void> {
    const faults: unknown[] = []
    const sending = new Set<Promise<void>>()
    while (!stop.aborted && faults.length === 0) {
      await this.#lineFree(stop)
      const alone = this.#breaker.isDown
      if (alone && !await this.#probe(stop)) continue
      const entry = await this.#scheduler.next(stop)
      if (entry === undefined) break
      if (!alone && this.#breaker.isDown) { // it has opened while there was nothing to send
        this.#scheduler.retryLater(entry, 0)
        continue
      }
      if (alone) this.#trial = entry
      this.#begun = { entry, givenBytes: this.#deps.allowance.givenBytes + Math.max(0, this.#begunBytes()) }
      const put = this.#upload(entry, cut)
        .catch((error: unknown) => { faults.push(error) })
        .finally(() => { sending.delete(put) })
      sending.add(put)
      if (alone) await put
    }
    await Promise.all(sending)
    if (faults.length > 0) throw faults[0]
  }

  /**
   * Waits until the put begun last has all but its last bytes on the line: puts follow each other instead of making
   * each other slow. A line that stands idle because the store reads slowly is reason enough for another put.
   */
  async #lineFree (stop: AbortSignal): Promise<void> {
    const { allowance } = this.#deps
    let idleMs = 0
    while (!stop.aborted && idleMs < IDLE_MS_MAX) {
      const leftBytes = this.#begunBytes() - allowance.bytesPerSecond * LEAD_SECONDS
      if (leftBytes <= 0) break
      const waitMs = Math.min(Math.max(1, leftBytes / allowance.bytesPerSecond * 1000), IDLE_MS_MAX / 2)
      await sleep(waitMs)
      idleMs = allowance.waitingBytes > 0 ? 0 : idleMs + waitMs
    }
    await this.#ended.until(() => this.#inFlight.size < this.#options.concurrency, stop)
  }

  /** Of the put begun last: what the allowance has not given it yet. */
  #begunBytes (): number {
    if (this.#begun === undefined || !this.#inFlight.has(this.#begun.entry.sequence)) return 0
    return this.#begun.entry.bytes - (this.#deps.allowance.givenBytes - this.#begun.givenBytes)
  }

  /** Waits out the backoff, then asks the store. True where a put may be tried. */
  async #probe (stop: AbortSignal): Promise<boolean> {
    const { state } = this.#breaker
    if (state.kind === 'up') return true
    await this.#ended.until(() => this.#inFlight.size === 0, stop)
    await sleep(Math.max(0, state.retryAt - Date.now()), undefined, { signal: stop }).catch(() => {}) // stopping
    if (stop.aborted) return false
    const outcome = await this.#deps.store.probe(stop)
    if (stop.aborted) return false
    if (mayPut(outcome) && this.#deps.spool.ledger.waiting > 0) return true
    if (outcome.kind === 'available') this.#lineUp() // nothing to try it with
    else this.#breaker.failed(outcome)
    return outcome.kind === 'available'
  }

  #lineUp (): void {
    this.#trial = undefined
    this.#breaker.closed()
    this.#scheduler.retryNow()
  }

  async #upload (entry: Entry, cut: AbortSignal): Promise<void> {
    this.#inFlight.set(entry.sequence, entry)
    try {
      const body = await this.#read(entry)
      if (body !== undefined) await this.#put(entry, body, cut)
    } finally {
      this.#inFlight.delete(entry.sequence)
      this.#ended.changed()
    }
  }

  async #read (entry: Entry): Promise<Buffer | undefined> {
    const { spool, observe } = this.#deps
    try {
      return await spool.payload(entry)
    } catch (error) {
      const cause = error as Error
      observe({ kind: 'spool-fault', operation: 'read', cause })
      if (error instanceof EntryCorrupt) await this.#setAside(entry, error.code, cause.message)
      else this.#scheduler.retryLater(entry, READ_AGAIN_MS)
      return undefined
    }
  }

  async #put (entry: Entry, body: Buffer, cut: AbortSignal): Promise<void> {
    const { store, observe } = this.#deps
    const sha256 = entry.sha256 ?? createHash('sha256').update(body).digest('hex')
    const key = objectKey(this.#options.key, entry)
    const attempt = (this.#attempts.get(entry.sequence)?.count ?? 0) + 1
    const startedAt = performance.now()
    observe({ kind: 'put-started', entry, attempt, waitedSeconds: (Date.now() - entry.receivedAt) / 1000 })
    const { contentType, crc32 } = entry
    const metadata = objectMetadata(entry, sha256)
    const outcome = await store.put({ key, body, contentType, metadata, sha256, crc32 }, cut)
    observe({
      kind: 'put-ended',
      entry,
      seconds: (performance.now() - startedAt) / 1000,
      outcome: outcome.kind === 'unavailable' ? outcome.reason : outcome.kind,
      detail: outcome.kind === 'stored' ? '' : outcome.detail
    })
    await this.#conclude(entry, outcome, { key, sha256 })
  }

  async #conclude (entry: Entry, outcome: PutOutcome, object: { key: string, sha256: string }): Promise<void> {
    const { spool, store, observe } = this.#deps
    switch (outcome.kind) {
      case 'stored': {
        const upload = { ...object, uploadedAt: Date.now(), bucket: store.bucket, etag: outcome.etag }
        this.#stored++
        this.#lastStoredAt = upload.uploadedAt
        if (entry === this.#trial) this.#lineUp()
        const marked = await spool.markUploaded(entry, upload)
        this.#leave(entry)
        if (!marked) return // an operator dropped it meanwhile
        observe({ kind: 'entry-uploaded', entry, upload, seconds: (upload.uploadedAt - entry.receivedAt) / 1000 })
        return
      }
      case 'refused': return await this.#setAside(entry, outcome.reason, outcome.detail)
      case 'unavailable':
        return await this.#tryAgain(entry, outcome)
    }
  }

  /** An entry that fails again and again while others are stored may be at fault itself. */
  async #tryAgain (entry: Entry, outcome: PutOutcome & { kind: 'unavailable' }): Promise<void> {
    const before = this.#attempts.get(entry.sequence)
    const attempts = { count: (before?.count ?? 0) + 1, storedBefore: before?.storedBefore ?? this.#stored }
    this.#attempts.set(entry.sequence, attempts)
    if (outcome.reason === 'aborted') return
    if (entry === this.#trial) this.#breaker.failed(outcome)
    else this.#breaker.opened(outcome)
    if (mayBeEntrys(outcome) && Math.min(attempts.count, this.#stored - attempts.storedBefore) >= ATTEMPTS_MAX) {
      return await this.#setAside(entry, `store_${outcome.reason}`, outcome.detail)
    }
    this.#scheduler.retryLater(entry, backoffMs(attempts.count, Math.random))
  }

  async #setAside (entry: Entry, reason: string, detail: string): Promise<void> {
    const attempts = this.#attempts.get(entry.sequence)?.count ?? 1
    const failure = { failedAt: Date.now(), reason, detail, attempts }
    const moved = await this.#deps.spool.setAside(entry, failure)
    this.#leave(entry)
    if (moved) this.#deps.observe({ kind: 'entry-failed', entry, failure })
  }

  #leave (entry: Entry): void {
    this.#attempts.delete(entry.sequence)
    this.#scheduler.done(entry)
  }
}
