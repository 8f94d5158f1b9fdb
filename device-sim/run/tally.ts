import type { Acknowledged, DeviceEvent, Loss, SentImage } from '../devices/events.ts'
import { phaseAt } from '../scenario/plan.ts'
import type { Phase } from '../scenario/scenario.ts'
import { Latencies } from './latencies.ts'

/** What is counted of one phase of the plan; an image belongs to the phase of its planned capture. */
export class PhaseTally {
  captured = 0
  acknowledged = 0
  readonly fromPlan = new Latencies()
}

/** Counts what devices do. */
export class Tally {
  captured = 0
  sent = 0
  /** PUBACKs of images that had one. */
  repeated = 0
  connected = 0
  reconnects = 0
  acknowledgedBytes = 0
  connectFailures = 0
  /** The latest of them, in words. */
  lastFailure: string | undefined
  readonly drops: Record<Loss, number> = { full: 0, power: 0, 'too-large': 0 }
  readonly acknowledged: Acknowledged[] = []
  /** What was sent and has no PUBACK yet, by SHA-256. The receiver may have it all the same. */
  readonly unacknowledged = new Map<string, SentImage>()
  readonly fromPlan = new Latencies()
  readonly fromSend = new Latencies()
  readonly lag = new Latencies()
  /** From planned captures, since it was last reset. */
  readonly lately = new Latencies()
  readonly phases: readonly PhaseTally[]
  readonly #plan: readonly Phase[]
  readonly #warmupMs: number
  #startedAt = 0

  constructor ({ phases, warmupMs }: { readonly phases: readonly Phase[], readonly warmupMs: number }) {
    this.#plan = phases
    this.#warmupMs = warmupMs
    this.phases = phases.map(() => new PhaseTally())
  }

  /** Of the captures, ms since epoch. */
  start (startedAt: number): void {
    this.#startedAt = startedAt
  }

  get dropped (): number {
    return this.drops.full + this.drops.power + this.drops['too-large']
  }

  /** Captured, and neither PUBACKed nor dropped. */
  get unfinished (): number {
    return this.captured - this.acknowledged.length - this.dropped
  }

  observe (event: DeviceEvent): void {
    switch (event.kind) {
      case 'connected':
        this.connected++
        if (event.isAgain) this.reconnects++
        break
      case 'disconnected':
        this.connected--
        break
      case 'connect-failed':
        this.connectFailures++
        this.lastFailure = `${event.device}: ${event.reason}`
        break
      case 'captured':
        this.captured++
        this.#phaseOf(event.plannedAt).captured++
        if (event.lagMs !== undefined) this.lag.record(event.lagMs)
        break
      case 'lagged':
        this.lag.record(event.lagMs)
        break
      case 'dropped':
        this.drops[event.why]++
        break
      case 'sent':
        if (!event.isAgain) this.sent++
        this.unacknowledged.set(event.image.sha256, event.image)
        break
      case 'repeated':
        this.repeated++
        break
      case 'acknowledged':
        this.#acknowledge(event.image, event.sentAt)
    }
  }

  #acknowledge (image: Acknowledged, sentAt: number): void {
    this.acknowledged.push(image)
    this.unacknowledged.delete(image.sha256)
    this.acknowledgedBytes += image.bytes
    const ms = image.ackedAt - image.plannedAt
    this.lately.record(ms)
    const phase = this.#phaseOf(image.plannedAt)
    phase.acknowledged++
    if (image.plannedAt - this.#startedAt < this.#warmupMs) return
    phase.fromPlan.record(ms)
    this.fromPlan.record(ms)
    this.fromSend.record(image.ackedAt - sentAt)
  }

  #phaseOf (plannedAt: number): PhaseTally {
    const phase = this.phases[phaseAt(this.#plan, plannedAt - this.#startedAt)]
    if (phase === undefined) throw new Error('a run without phases')
    return phase
  }
}
