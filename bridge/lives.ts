// What this process saw happen to single images, for whoever asks after one: a reader of events that remembers the
// latest. Nothing of it is on disk; what must survive a restart stands in the index.

import type { DeviceId, Note } from '../broker/topics.ts'
import type { Entry, Failure } from './entry.ts'
import type { BridgeEvent } from './events.ts'

type EventOf<Kind extends BridgeEvent['kind']> = Extract<BridgeEvent, { kind: Kind }>

/** One try at the store. Without an outcome it is under way. */
export interface Attempt {
  readonly kind: 'attempt'
  readonly at: number
  /** From 1, since the start of the service or the last retry by an operator. */
  readonly attempt: number
  seconds?: number
  outcome?: EventOf<'put-ended'>['outcome']
  detail?: string
  /** Of the body; headers and TLS not counted. */
  bodyBytesSent?: number | undefined
}

/** `at` is ms since epoch. */
export type LifeEvent =
  | Attempt
  | { readonly kind: 'acknowledged', readonly at: number, readonly by: 'mqtt' | 'http' }
  /** Sent again by its device, and known. */
  | { readonly kind: 'repeat', readonly at: number }
  | { readonly kind: 'refused' | 'withheld', readonly at: number, readonly reason: string, readonly detail: string }
  | { readonly kind: 'failed', readonly at: number, readonly failure: Failure }
  /** What operators did. */
  | { readonly kind: 'retried' | 'prioritized' | 'dropped', readonly at: number }
  /** Published on the device's acks topic. */
  | { readonly kind: 'note', readonly at: number, readonly status: Note['status'] }

export interface Life {
  readonly deviceId: string
  readonly imageId: string
  /** Undefined as long as nothing of the name was seen in custody. */
  readonly sequence: number | undefined
  /** When the write was synced, and how long after the image was here whole; undefined where that was not seen. */
  readonly synced: { readonly at: number, readonly seconds: number } | undefined
  /** Oldest first; of many the first and the last. */
  readonly events: readonly LifeEvent[]
  readonly eventsLeftOut: number
}

/**
 * How many lives are remembered, each kind by itself so that none crowds out another: what goes its way, what a put
 * failed for, and names under which nothing is in custody. What goes its way takes about 0.7 kB a life.
 */
export interface LivesLimits {
  readonly passing: number
  readonly troubled: number
  readonly strangers: number
}

export const LIVES_LIMITS: LivesLimits = { passing: 8192, troubled: 1024, strangers: 1024 }

const EVENTS_MAX = 24
/** Of these the oldest are never left out: how it began. */
const FIRST_EVENTS = 8

interface OpenLife extends Life {
  sequence: number | undefined
  synced: Life['synced']
  readonly events: LifeEvent[]
  eventsLeftOut: number
  kind: keyof LivesLimits
  /** In the ring of its kind. */
  place: number
}

interface Ring {
  readonly lives: Array<OpenLife | undefined>
  next: number
}

type Named = Pick<Life, 'deviceId' | 'imageId'>

export class Lives {
  /** What came before is not known. */
  readonly startedAt: number
  readonly #limits: LivesLimits
  readonly #now: () => number
  /** By device, then by image: a name made of both would be a new string for every event. */
  readonly #devices = new Map<string, Map<string, OpenLife>>()
  readonly #rings: Readonly<Record<keyof LivesLimits, Ring>> = {
    passing: { lives: [], next: 0 }, troubled: { lives: [], next: 0 }, strangers: { lives: [], next: 0 }
  }

  constructor (limits: LivesLimits = LIVES_LIMITS, now: () => number = Date.now) {
    this.#limits = limits
    this.#now = now
    this.startedAt = now()
  }

  get size (): number { return [...this.#devices.values()].reduce((sum, { size }) => sum + size, 0) }

  find ({ deviceId, imageId }: Named): Life | undefined { return this.#devices.get(deviceId)?.get(imageId) }

  /** Of all devices. */
  findByImageId (imageId: string): Life[] {
    return [...this.#devices.values()].flatMap((images) => images.get(imageId) ?? [])
  }

  /** Fits `Observe`, and can be handed over as it is. */
  readonly observe = (event: BridgeEvent): void => {
    const { kind } = event
    if (kind === 'image-taken') this.#of(event.entry).synced = { at: this.#now(), seconds: event.seconds }
    else if (kind === 'publish-acknowledged') this.#acknowledged(event.entry, 'mqtt')
    else if (kind === 'http-request') this.#acknowledged(event.entry, 'http')
    else if (kind === 'put-started') this.#add(this.#of(event.entry), { kind: 'attempt', at: this.#now(), attempt: event.attempt })
    else if (kind === 'put-ended') this.#ended(event)
    else if (kind === 'entry-failed') this.#failed(event)
    else if (kind === 'image-duplicate') this.#add(this.#named(event), { kind: 'repeat', at: this.#now() })
    else if (kind === 'image-refused' || kind === 'image-withheld') this.#notTaken(event)
    else if (kind === 'entry-retried') this.#add(this.#of(event.entry), { kind: 'retried', at: this.#now() })
    else if (kind === 'entry-prioritized') this.#add(this.#of(event.entry), { kind: 'prioritized', at: this.#now() })
    else if (kind === 'entry-dropped') this.#add(this.#of(event.entry), { kind: 'dropped', at: this.#now() })
  }

  /** A note has been sent; one that names no image belongs to no life. */
  noted (deviceId: DeviceId, { id, status }: Pick<Note, 'id' | 'status'>): void {
    if (id === undefined) return
    this.#add(this.#named({ deviceId, imageId: id }), { kind: 'note', at: this.#now(), status })
  }

  #acknowledged (entry: Named | undefined, by: 'mqtt' | 'http'): void {
    if (entry !== undefined) this.#add(this.#named(entry), { kind: 'acknowledged', at: this.#now(), by })
  }

  #ended ({ entry, seconds, outcome, detail, bodyBytesSent }: EventOf<'put-ended'>): void {
    const life = this.#of(entry)
    const begun = life.events.findLast((one) => one.kind === 'attempt')
    if (begun !== undefined) Object.assign(begun, { seconds, outcome, detail, bodyBytesSent })
    if (outcome !== 'stored' && outcome !== 'aborted') this.#move(life, 'troubled')
  }

  #failed ({ entry, failure }: EventOf<'entry-failed'>): void {
    const life = this.#of(entry)
    this.#add(life, { kind: 'failed', at: failure.failedAt, failure })
    this.#move(life, 'troubled')
  }

  #notTaken ({ kind, deviceId, imageId, reason, detail }: EventOf<'image-refused' | 'image-withheld'>): void {
    if (deviceId === undefined || imageId === undefined) return
    const one = kind === 'image-refused' ? 'refused' : 'withheld'
    this.#add(this.#named({ deviceId, imageId }), { kind: one, at: this.#now(), reason, detail })
  }

  /** The life of what is in custody. A name that is taken once more after it was forgotten begins another one. */
  #of (entry: Entry): OpenLife {
    const { deviceId, imageId, sequence } = entry
    const known = this.#devices.get(deviceId)?.get(imageId)
    if (known?.sequence === sequence) return known
    if (known === undefined || known.sequence !== undefined) return this.#begin({ deviceId, imageId }, sequence)
    known.sequence = sequence
    this.#move(known, 'passing')
    return known
  }

  #named (name: Named): OpenLife {
    const known = this.#devices.get(name.deviceId)?.get(name.imageId)
    return known ?? this.#begin(name, undefined)
  }

  /** In place of one that has the name. */
  #begin ({ deviceId, imageId }: Named, sequence: number | undefined): OpenLife {
    const kind = sequence === undefined ? 'strangers' : 'passing'
    const life: OpenLife = {
      deviceId, imageId, sequence, synced: undefined, events: [], eventsLeftOut: 0, kind, place: 0
    }
    const images = this.#devices.get(deviceId)
    const before = images?.get(imageId)
    if (before !== undefined) this.#leave(before)
    if (images === undefined) this.#devices.set(deviceId, new Map([[imageId, life]]))
    else images.set(imageId, life)
    this.#enter(life)
    return life
  }

  #move (life: OpenLife, kind: keyof LivesLimits): void {
    if (life.kind === kind) return
    this.#leave(life)
    life.kind = kind
    this.#enter(life)
  }

  /** In place of the one that has been there for the longest time. */
  #enter (life: OpenLife): void {
    const ring = this.#rings[life.kind]
    const oldest = ring.lives[ring.next]
    if (oldest !== undefined) this.#forget(oldest)
    life.place = ring.next
    ring.lives[ring.next] = life
    ring.next = (ring.next + 1) % this.#limits[life.kind]
  }

  #leave ({ kind, place }: OpenLife): void { this.#rings[kind].lives[place] = undefined }

  #forget ({ deviceId, imageId }: OpenLife): void {
    const images = this.#devices.get(deviceId)
    images?.delete(imageId)
    if (images?.size === 0) this.#devices.delete(deviceId)
  }

  #add (life: OpenLife, event: LifeEvent): void {
    if (life.events.length === EVENTS_MAX) {
      life.events.splice(FIRST_EVENTS, 1)
      life.eventsLeftOut++
    }
    life.events.push(event)
  }
}
