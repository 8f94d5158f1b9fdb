// Judges every image against slo.target, each once and at its deadline, in the order of acceptance: a cursor moves
// over what has reached it, and is kept with what it counted. So a restart judges nothing twice and leaves nothing out.

import { join } from 'node:path'
import type { BridgeEvent, Observe } from '../events.ts'
import type { Acceptance } from '../spool/acceptance.ts'
import { Book, type BookState } from './book.ts'
import { Causes, type Conditions } from './causes.ts'
import {
  addArrival, addCount, CAUSES, countsOf, emptyHour, HOUR_MS, hourOf, judgeImage, VERDICTS,
  type Counts, type Hour, type LateCause, type SloVerdict, type Span
} from './hour.ts'
import { describeMonth, type Month } from './month.ts'

export interface SloDeps {
  readonly acceptance: Pick<Acceptance, 'last' | 'read'>
  readonly conditions: () => Conditions
  readonly observe: Observe
  /** ms since epoch. */
  readonly now?: () => number
}

export interface SloOptions {
  readonly dataDir: string
  readonly targetMs: number
  /** 0 to 1. */
  readonly objective: number
  /** Ms between two looks; 0: only when asked. */
  readonly everyMs?: number
}

/** Since the start. */
export interface SloLevels {
  readonly verdicts: Counts<SloVerdict>
  readonly causes: Counts<LateCause>
}

const LOOK_EVERY_MS = 1000
const PAGE = 250
/** What is judged in one look, at most: a start after an abrupt end has little more than slo.target behind it. */
const PAGES_MAX = 400
const KEEP_QUIET_MS = 60_000
/** An image of a time to come: the clock was set back since. */
const AHEAD_MS = 60_000
/** For so long an image that was found uploaded may still be told of as uploaded. */
const TOLD_WITHIN_MS = 5_000

export class Slo {
  readonly #deps: SloDeps
  readonly #options: SloOptions
  readonly #book: Book
  readonly #now: () => number
  readonly #causes: Causes
  readonly #hours: Map<number, Hour>
  /** Judged as uploaded a moment ago, and perhaps not yet told of: their latency is counted. */
  readonly #counted = new Map<number, number>()
  #levels: SloLevels = { verdicts: countsOf(VERDICTS), causes: countsOf(CAUSES) }
  #cursor: number
  #nextId: number
  readonly #since: number
  #isKept = true
  #keptAt = 0
  #hasNews = true
  #looking: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  private constructor (deps: SloDeps, options: SloOptions, { book, state }: { book: Book, state: BookState }) {
    this.#deps = deps
    this.#options = options
    this.#book = book
    this.#now = deps.now ?? Date.now
    this.#causes = new Causes(deps.conditions, { ...options, startedAt: this.#now() })
    this.#hours = new Map(state.hours.map((hour) => [hour.at, hour]))
    this.#cursor = state.cursor
    this.#nextId = state.nextId
    this.#since = state.since
  }

  /** Resolves once what reached its deadline before is judged. Rejects where the directory cannot be had. */
  static async open (deps: SloDeps, options: SloOptions): Promise<Slo> {
    const book = new Book(join(options.dataDir, 'slo'))
    const read = await book.read()
    if (typeof read === 'string') deps.observe({ kind: 'slo-not-kept', detail: read })
    const isNew = read === undefined || typeof read === 'string'
    const state = isNew ? { cursor: deps.acceptance.last, since: (deps.now ?? Date.now)(), nextId: 1, hours: [] } : read
    const slo = new Slo(deps, options, { book, state })
    await slo.look()
    const { everyMs = LOOK_EVERY_MS } = options
    if (everyMs > 0) slo.#timer = setInterval(() => { slo.#lookAgain() }, everyMs)
    return slo
  }

  get levels (): SloLevels { return this.#levels }

  readonly observe: Observe = (event) => {
    if (event.kind === 'entry-uploaded') this.#arrive(event)
  }

  /** Judges what has reached its deadline, and keeps that. */
  async look (): Promise<void> {
    const now = this.#now()
    for (const [span, seconds] of this.#causes.look(now)) this.#spend(now, span, seconds)
    const found: SloLevels[] = []
    for (let page = 0; page < PAGES_MAX; page++) {
      const { held, at } = await this.#deps.acceptance.read(this.#cursor, PAGE, ({ receivedAt }) =>
        now - receivedAt >= this.#options.targetMs || receivedAt - now > AHEAD_MS)
      found.push(this.#judge(held, now))
      const hasMoved = at > this.#cursor
      this.#cursor = at
      if (!hasMoved) break
      this.#hasNews = true
    }
    for (const [sequence, until] of this.#counted) if (until < now) this.#counted.delete(sequence)
    await this.#keep(now)
    // Counted last: a crash before it was kept is a crash before it was counted.
    for (const { verdicts, causes } of found) this.#levels = added(this.#levels, verdicts, causes)
  }

  /** `month` like 2026-11, UTC. `undelivered`: the images that are not in the store now, of all months. */
  async describe (month: string, undelivered: number): Promise<Month> {
    const hours = [...await this.#book.hoursFrom(month), ...this.#hours.values()]
    const { targetMs, objective } = this.#options
    return describeMonth(hours, { month, now: this.#now(), since: this.#since, targetMs, objective, undelivered })
  }

  async close (): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
    this.#keptAt = 0
    this.#hasNews = true
    await this.#keep(this.#now())
  }

  #lookAgain (): void {
    this.#looking ??= this.look()
      .catch((cause: Error) => { this.#tell(`images cannot be judged now, and are later: ${cause.message}`) })
      .finally(() => { this.#looking = undefined })
  }

  #judge (held: Awaited<ReturnType<Acceptance['read']>>['held'], now: number): SloLevels {
    let [verdicts, causes] = [countsOf(VERDICTS), countsOf(CAUSES)]
    for (const image of held) {
      const { sequence, receivedAt } = image.entry
      const verdict = judgeImage(image, this.#options.targetMs)
      verdicts = addCount(verdicts, verdict)
      const cause = verdict === 'late' ? this.#causes.of(receivedAt) : undefined
      if (cause !== undefined) causes = addCount(causes, cause)
      const hour = this.#hourAt(Math.min(receivedAt, now))
      this.#put({
        ...hour,
        verdicts: addCount(hour.verdicts, verdict),
        causes: cause === undefined ? hour.causes : addCount(hour.causes, cause)
      })
      if (image.state !== 'uploaded') continue
      const { uploadedAt } = image.upload
      this.#put(addArrival(this.#hourAt(now), receivedAt, (uploadedAt - receivedAt) / 1000))
      if (now - uploadedAt < TOLD_WITHIN_MS) this.#counted.set(sequence, now + TOLD_WITHIN_MS)
    }
    return { verdicts, causes }
  }

  /** After its deadline: what was judged as late is in the store now. */
  #arrive ({ entry, seconds }: BridgeEvent & { kind: 'entry-uploaded' }): void {
    if (entry.sequence > this.#cursor || this.#counted.delete(entry.sequence)) return
    this.#put(addArrival(this.#hourAt(this.#now()), entry.receivedAt, seconds))
    this.#hasNews = true
  }

  #spend (now: number, span: Span, seconds: number): void {
    const hour = this.#hourAt(now)
    this.#put({ ...hour, seconds: addCount(hour.seconds, span, seconds) })
  }

  #hourAt (at: number): Hour {
    return this.#hours.get(hourOf(at)) ?? emptyHour(this.#nextId++, hourOf(at))
  }

  #put (hour: Hour): void { this.#hours.set(hour.at, hour) }

  /** Where the disk is full it goes on in memory, and is kept once there is room. */
  async #keep (now: number): Promise<void> {
    if (!this.#hasNews && now - this.#keptAt < KEEP_QUIET_MS) return
    const { targetMs } = this.#options
    const over = [...this.#hours.values()].filter(({ at }) => at + HOUR_MS + targetMs + KEEP_QUIET_MS < now)
    const open = [...this.#hours.values()].filter((hour) => !over.includes(hour))
    try {
      this.#hasNews = false
      if (over.length > 0) await this.#book.close(over)
      await this.#book.write({ cursor: this.#cursor, since: this.#since, nextId: this.#nextId, hours: open })
      for (const { at } of over) this.#hours.delete(at)
      this.#keptAt = now
      this.#isKept = true
    } catch (cause) {
      this.#hasNews = true
      this.#tell(`what is counted against slo.target is not on disk for now: ${(cause as Error).message}`)
    }
  }

  #tell (detail: string): void {
    if (this.#isKept) this.#deps.observe({ kind: 'slo-not-kept', detail })
    this.#isKept = false
  }
}

function added (levels: SloLevels, verdicts: SloLevels['verdicts'], causes: SloLevels['causes']): SloLevels {
  const sum = <Key extends string>(keys: readonly Key[], some: Counts<Key>, more: Counts<Key>): Counts<Key> =>
    keys.reduce((counts, key) => addCount(counts, key, more[key]), some)
  return { verdicts: sum(VERDICTS, levels.verdicts, verdicts), causes: sum(CAUSES, levels.causes, causes) }
}
