import { setTimeout as sleep } from 'node:timers/promises'
import { Condition } from '../condition.ts'
import type { Entry } from '../entry.ts'
import type { Observe } from '../events.ts'
import type { BodyCount } from '../objects/body-count.ts'
import type { ObjectStore, PutOutcome } from '../objects/object-store.ts'
import { EntryCorrupt } from '../spool/errors.ts'
import type { Spool } from '../spool/spool.ts'
import type { Allowance } from './allowance.ts'
import { Adaptive } from './adaptive.ts'
import { Attempts } from './attempts.ts'
import { backoffMs, Breaker, mayBeEntrys, mayPut, restMs } from './breaker.ts'
import { Gate } from './gate.ts'
import { putEntry } from './put.ts'
import type { UplinkLevels } from './levels.ts'
import { Prober } from './prober.ts'
import { RetryBudget } from './retry-budget.ts'
import { Scheduler, type SchedulerOptions } from './scheduler.ts'
import { Spacing } from './spacing.ts'

export type { UplinkLevels }

export interface UplinkDeps {
  readonly spool: Spool
  readonly store: ObjectStore
  /** The store's sockets draw on it; the uplink only looks at how much waits for it. */
  readonly allowance: Allowance
  readonly observe: Observe
  /** Nothing new is sent while it is shut; without one it never is. */
  readonly gate?: Gate
  /** What of a body was given to the kernel so far; undefined where nobody counts. */
  readonly countBody?: (body: Buffer) => BodyCount | undefined
}

export interface UplinkOptions {
  readonly key: string
  readonly concurrency: number
  /** 0 to 1: what repeated attempts may take of the allowance while new images wait. */
  readonly retryShare: number
  /** Kept with every failure (store-identity.ts). */
  readonly storeIdentity?: string
  readonly scheduler?: SchedulerOptions
}

/** What probes may take of the allowance while the store is down; a put that follows a good one is a retry. */
const PROBE_SHARE = 0.02
/** A disk that does not give an image back now may do so later; it is asked seldom. */
const READ_AGAIN_MS = 30_000

/** Lets what waits in the spool out to the store, as much at a time as keeps the line busy. */
export class Uplink {
  readonly #deps: UplinkDeps
  #options: UplinkOptions
  readonly #scheduler: Scheduler
  readonly #breaker: Breaker
  readonly #gate: Gate
  readonly #prober: Prober
  readonly #spacing: Spacing
  readonly #adaptive: Adaptive
  readonly #attempts = new Attempts()
  readonly #inFlight = new Map<number, Entry>()
  readonly #ended = new Condition()
  /** The one put that is tried while the store is thought to be down. */
  #trial: Entry | undefined
  #lastStoredAt: number | undefined

  constructor (deps: UplinkDeps, options: UplinkOptions) {
    this.#deps = deps
    this.#options = options
    const { allowance, spool } = deps
    const budget = new RetryBudget(() => allowance.bytesPerSecond * this.#options.retryShare)
    this.#scheduler = new Scheduler(spool, options.scheduler, budget)
    this.#breaker = new Breaker(deps.observe)
    this.#gate = deps.gate ?? new Gate()
    this.#prober = new Prober(deps.store)
    this.#spacing = new Spacing(allowance)
    this.#adaptive = new Adaptive(options.concurrency)
  }

  /** From now on; what is in flight goes on as it began. */
  configure (changed: Pick<Required<UplinkOptions>, 'concurrency' | 'retryShare' | 'scheduler'>): void {
    this.#options = { ...this.#options, ...changed }
    this.#adaptive.concurrencyMax = changed.concurrency
    this.#scheduler.configure(changed.scheduler)
  }

  get levels (): UplinkLevels {
    const { bytesPerSecond, heldSeconds } = this.#deps.allowance
    return {
      uploading: new Set(this.#inFlight.keys()),
      retrying: this.#scheduler.retrying,
      uploadingBytes: [...this.#inFlight.values()].reduce((sum, { bytes }) => sum + bytes, 0),
      retryingBytes: this.#scheduler.retryingBytes,
      bytesPerSecond,
      carriedBytesPerSecond: this.#adaptive.carriedBytesPerSecond,
      concurrency: this.#options.concurrency,
      state: this.#breaker.state,
      heldSeconds,
      lastStoredAt: this.#lastStoredAt
    }
  }

  /** When an entry is tried again that was tried before, and for whose sake it waits; undefined for any other. */
  retryOf (entry: Entry): ReturnType<Scheduler['retryOf']> { return this.#scheduler.retryOf(entry) }

  /** Begins nothing new once `stop` aborts, cuts what is under way once `cut` does; rejects only on a fault. */
  async run (stop: AbortSignal, cut: AbortSignal): Promise<void> {
    const faults: unknown[] = []
    const sending = new Set<Promise<void>>()
    while (!stop.aborted && faults.length === 0) {
      await this.#gate.opened(stop)
      await this.#lineFree(stop)
      const alone = this.#breaker.isDown
      if (alone && !await this.#probe(stop)) continue
      const entry = await this.#gate.whileOpen(stop, (open) => this.#scheduler.next(open))
      if (entry === undefined) continue
      if (!this.#gate.isOpen || (!alone && this.#breaker.isDown)) { // while there was nothing to send
        this.#scheduler.retryLater(entry, 0)
        continue
      }
      if (alone) this.#trial = entry
      this.#spacing.begin(entry.bytes, () => this.#inFlight.has(entry.sequence))
      const put = this.#upload(entry, cut)
        .catch((error: unknown) => { faults.push(error) })
        .finally(() => { sending.delete(put) })
      sending.add(put)
      if (alone) await put
    }
    await Promise.all(sending)
    if (faults.length > 0) throw faults[0]
  }

  async #lineFree (stop: AbortSignal): Promise<void> {
    await this.#spacing.room(stop)
    await this.#ended.until(() => this.#inFlight.size < this.#adaptive.concurrency, stop)
  }

  /** Waits out the backoff, then asks the store. True where a put may be tried. */
  async #probe (stop: AbortSignal): Promise<boolean> {
    const { state } = this.#breaker
    if (state.kind === 'up') return true
    await this.#ended.until(() => this.#inFlight.size === 0, stop)
    await sleep(Math.max(0, state.retryAt - Date.now()), undefined, { signal: stop }).catch(() => {}) // stopping
    if (stop.aborted || !this.#gate.isOpen) return false
    const { givenBytes } = this.#deps.allowance
    const outcome = await this.#prober.ask(stop)
    if (stop.aborted) return false
    if (outcome !== undefined && mayPut(outcome) && this.#deps.spool.ledger.waiting > 0) return true
    if (outcome?.kind === 'available') this.#lineUp() // nothing to try it with
    else this.#breaker.failed(outcome ?? state, this.#restMs(this.#deps.allowance.givenBytes - givenBytes, PROBE_SHARE))
    return outcome?.kind === 'available'
  }

  /** How long the line has to rest so that so many bytes are no more than a share of the allowance. */
  #restMs (bytes: number, share: number): number {
    return restMs(bytes, { bytesPerSecond: this.#deps.allowance.bytesPerSecond, share })
  }

  #lineUp (): void {
    this.#trial = undefined
    this.#breaker.closed()
    this.#adaptive.restart()
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
      else this.#scheduler.readLater(entry, READ_AGAIN_MS)
      return undefined
    }
  }

  async #put (entry: Entry, body: Buffer, cut: AbortSignal): Promise<void> {
    const { store, observe, allowance, countBody } = this.#deps
    const deps = { store, observe, allowance, countBody, adaptive: this.#adaptive }
    const attempt = this.#attempts.of(entry) + 1
    const put = { entry, body, attempt, template: this.#options.key }
    const { outcome, object, isSpent } = await putEntry(deps, put, cut)
    if (isSpent) this.#deps.spool.giveBack(body)
    await this.#conclude(entry, outcome, object)
  }

  async #conclude (entry: Entry, outcome: PutOutcome, object: { key: string, sha256: string }): Promise<void> {
    const { spool, store, observe } = this.#deps
    switch (outcome.kind) {
      case 'stored': {
        const upload = { ...object, uploadedAt: Date.now(), bucket: store.bucket, etag: outcome.etag }
        this.#attempts.stored()
        this.#lastStoredAt = upload.uploadedAt
        if (entry === this.#trial) this.#lineUp()
        const marked = await spool.markUploaded(entry, upload)
        this.#leave(entry)
        if (!marked) return // an operator dropped it meanwhile
        observe({ kind: 'entry-uploaded', entry, upload, seconds: (upload.uploadedAt - entry.receivedAt) / 1000 })
        return
      }
      case 'refused':
        this.#attempts.failed(entry, outcome)
        return await this.#setAside(entry, outcome.reason, outcome.detail)
      case 'unavailable': return await this.#tryAgain(entry, outcome)
    }
  }

  /** An entry that fails again while others are stored may be at fault itself, and says nothing of the store. */
  async #tryAgain (entry: Entry, outcome: PutOutcome & { kind: 'unavailable' }): Promise<void> {
    const { count, alone, isHopeless } = this.#attempts.failed(entry, outcome)
    if (outcome.reason === 'aborted') return
    const isEntrys = mayBeEntrys(outcome)
    const sentBytes = this.#spacing.sentBytes
    if (entry === this.#trial) this.#breaker.failed(outcome, this.#restMs(sentBytes, this.#options.retryShare))
    else if (!isEntrys || !alone) this.#breaker.opened(outcome)
    if (isEntrys && isHopeless) return await this.#setAside(entry, `store_${outcome.reason}`, outcome.detail)
    this.#scheduler.retryLater(entry, backoffMs(count, Math.random))
  }

  async #setAside (entry: Entry, reason: string, detail: string): Promise<void> {
    const failure = this.#attempts.failureOf(entry, { reason, detail }, this.#options.storeIdentity)
    const moved = await this.#deps.spool.setAside(entry, failure)
    this.#leave(entry)
    if (moved) this.#deps.observe({ kind: 'entry-failed', entry, failure })
  }

  #leave (entry: Entry): void {
    this.#attempts.forget(entry)
    this.#scheduler.done(entry)
  }
}
