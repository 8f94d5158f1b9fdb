import type { Observe } from './events.ts'

/** What the metrics say of devices. */
export interface FleetLevels {
  readonly online: number
  readonly offline: number
  /** Connected, and no image for twice the usual time. */
  readonly silent: number
}

interface Known {
  lastAt: number
  /** Between two images; undefined until there were two. */
  usualMs: number | undefined
  /** Of the connection it sent over; undefined where it came by HTTP or QoS 0. */
  clientId: string | undefined
}

/** Devices beyond this are not told of. */
const DEVICES_MAX = 100_000
const FORGET_MS = 86_400_000
const FORGET_EVERY_MS = 60_000
/** How much of the usual time one interval makes up. */
const WEIGHT = 0.2

/** A reader of events that remembers when each device last sent an image, and over which connection. */
export class Fleet {
  readonly #now: () => number
  readonly #known = new Map<string, Known>()
  /** Connections by client id: where one takes over from another there are two for a moment. */
  readonly #connected = new Map<string, number>()
  #forgotAt: number

  /** `now` is in ms and never goes back. */
  constructor (now: () => number = () => performance.now()) {
    this.#now = now
    this.#forgotAt = now()
  }

  readonly observe: Observe = (event) => {
    if (event.kind === 'client-connected') this.#count(event.clientId, 1)
    else if (event.kind === 'client-disconnected') this.#count(event.clientId, -1)
    else if (event.kind === 'image-taken') this.#sent(event.entry.deviceId)
    else if (event.kind === 'publish-acknowledged') this.#identified(event.entry?.deviceId, event.clientId)
  }

  get levels (): FleetLevels {
    const now = this.#now()
    this.#forget(now)
    const levels = { online: 0, offline: 0, silent: 0 }
    for (const known of this.#known.values()) levels[this.#stateOf(known, now)]++
    return levels
  }

  #count (clientId: string, change: 1 | -1): void {
    const count = (this.#connected.get(clientId) ?? 0) + change
    if (count > 0) this.#connected.set(clientId, count)
    else this.#connected.delete(clientId)
  }

  #stateOf ({ lastAt, usualMs, clientId }: Known, now: number): keyof FleetLevels {
    const isOverdue = usualMs !== undefined && now - lastAt > 2 * usualMs
    if (clientId === undefined) return isOverdue ? 'offline' : 'online' // nobody sees whether it is still there
    if (!this.#connected.has(clientId)) return 'offline'
    return isOverdue ? 'silent' : 'online'
  }

  #sent (deviceId: string): void {
    const now = this.#now()
    const known = this.#known.get(deviceId)
    if (known === undefined) {
      if (this.#known.size < DEVICES_MAX) {
        this.#known.set(deviceId, { lastAt: now, usualMs: undefined, clientId: undefined })
      }
      return
    }
    const interval = now - known.lastAt
    known.usualMs = known.usualMs === undefined ? interval : known.usualMs * (1 - WEIGHT) + interval * WEIGHT
    known.lastAt = now
  }

  #identified (deviceId: string | undefined, clientId: string | undefined): void {
    const known = deviceId === undefined ? undefined : this.#known.get(deviceId)
    if (known !== undefined) known.clientId = clientId
  }

  #forget (now: number): void {
    if (now - this.#forgotAt < FORGET_EVERY_MS) return
    this.#forgotAt = now
    for (const [deviceId, { lastAt }] of this.#known) if (now - lastAt > FORGET_MS) this.#known.delete(deviceId)
  }
}
