import type { Observe } from '../events.ts'
import type { ActiveSegments } from './active-segments.ts'
import { Condition } from '../condition.ts'
import type { Disk, Pause } from './disk.ts'
import { SpoolPaused } from './errors.ts'
import type { SpoolIndex } from './spool-index.ts'

export interface AdmissionDeps {
  readonly index: SpoolIndex
  readonly active: ActiveSegments
  readonly disk: Disk
  readonly observe: Observe
}

/** Room there has to be before a paused intake goes on, so that it does not stop again at once. */
const RESUME_BYTES = 8 * 1024 * 1024

/** Whether the spool takes anything more, and why not. */
export class Admission {
  readonly #deps: AdmissionDeps
  readonly #condition = new Condition()
  #pause: Pause | undefined

  constructor (deps: AdmissionDeps) {
    this.#deps = deps
  }

  get pause (): Pause | undefined { return this.#pause }

  /** Throws SpoolPaused where there is no room for `bytes`, and pauses until `review` finds some. */
  check (bytes: number): void {
    const pause = this.#find(bytes)
    if (pause === undefined) return
    this.#set(pause)
    throw new SpoolPaused(pause.reason, pause.detail)
  }

  review (): void {
    this.#set(this.#find(this.#pause === undefined ? 0 : RESUME_BYTES))
  }

  /** Resolves once images are taken again, or when `signal` aborts. */
  accepting (signal: AbortSignal): Promise<void> {
    return this.#condition.until(() => this.#pause === undefined, signal)
  }

  #find (bytes: number): Pause | undefined {
    const { index, active, disk } = this.#deps
    if (index.broken !== undefined) {
      return { reason: 'storage_error', detail: `the index cannot be written: ${index.broken.message}` }
    }
    if (!active.usable) return { reason: 'storage_error', detail: 'no segment of the spool can be written' }
    return disk.pause(bytes)
  }

  #set (pause: Pause | undefined): void {
    const before = this.#pause
    this.#pause = pause
    if (before?.reason === pause?.reason) return
    if (before !== undefined) this.#deps.observe({ kind: 'intake-resumed', reason: before.reason })
    if (pause !== undefined) this.#deps.observe({ kind: 'intake-paused', ...pause })
    this.#condition.changed()
  }
}
