import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatImageTopic, type DeviceId, type ImageId } from '../broker/topics.ts'
import type { Observe } from './events.ts'
import type { ImageSource } from './image-source.ts'
import { openLink, type Link } from './link.ts'
import { formatImageName, type Mark } from './mark.ts'

export interface DeviceDeps {
  readonly source: ImageSource
  readonly observe: Observe
  /** ms since epoch, never going back. */
  readonly now: () => number
}

export interface DeviceOptions {
  readonly id: DeviceId
  readonly index: number
  readonly run: string
  readonly host: string
  readonly port: number
  readonly topicPrefix: string
  /** Whether the imageId stands in the topic. */
  readonly ids: boolean
  readonly format: 'raw' | 'json'
  /** PUBLISHes without PUBACK at one time. */
  readonly inflight: number
  /** Captures kept behind those. */
  readonly queue: number
}

/** A picture taken, and not yet PUBACKed. Its bytes are made when it is sent. */
interface Capture {
  readonly mark: Mark
  readonly imageId: ImageId | undefined
  /** Known once it was sent. */
  sha256?: string
}

const BACKOFF_MS_FIRST = 500
const BACKOFF_MS_MAX = 30_000

/**
 * One device: it keeps what it captured until the PUBACK. A capture waits, is in flight, and after a
 * lost connection waits again, before all younger ones; where more wait than it has room for, the
 * oldest is dropped.
 */
export class Device {
  readonly #deps: DeviceDeps
  readonly #options: DeviceOptions
  #waiting: Capture[] = []
  readonly #inFlight = new Set<Capture>()
  #link: Link | undefined
  #captures = 0
  /** Connections tried since the last PUBACK; one that is cut at every PUBLISH is no better than none. */
  #fruitless = 0

  constructor (deps: DeviceDeps, options: DeviceOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** Presses the shutter, whether or not anything can be sent. */
  capture (plannedAt: number): void {
    const { id, run, ids, queue, inflight } = this.#options
    const mark = { run, deviceId: id, number: ++this.#captures, capturedAt: plannedAt }
    this.#deps.observe({ kind: 'captured', lagMs: this.#deps.now() - plannedAt })
    this.#waiting.push({ mark, imageId: ids ? formatImageName(mark) : undefined })
    this.#fill()
    while (this.#waiting.length + this.#inFlight.size > queue + inflight) {
      this.#waiting.shift()
      this.#deps.observe({ kind: 'dropped' })
    }
  }

  /** Connects, and again whenever the connection is lost, until aborted. */
  async run (signal: AbortSignal): Promise<void> {
    const { id, host, port } = this.#options
    for (let connections = 0; !signal.aborted;) {
      const opening = await openLink({ host, port, clientId: id })
      this.#fruitless++
      if (opening.kind === 'open') {
        this.#deps.observe({ kind: 'connected', isAgain: connections++ > 0 })
        await this.#use(opening.link, signal)
        this.#deps.observe({ kind: 'disconnected' })
      } else {
        this.#deps.observe({ kind: 'connect-failed', device: id, reason: opening.reason })
      }
      await sleep(backoffMs(this.#fruitless), undefined, { signal }).catch(() => {}) // aborted: the loop ends
    }
  }

  async #use (link: Link, signal: AbortSignal): Promise<void> {
    const close = (): void => link.close(this.#inFlight.size > 0)
    signal.addEventListener('abort', close)
    if (signal.aborted) close()
    this.#link = link
    this.#fill()
    await link.closed
    this.#link = undefined
    signal.removeEventListener('abort', close)
    this.#waiting = [...this.#inFlight, ...this.#waiting] // a Set keeps the order in which they were sent
    this.#inFlight.clear()
  }

  #fill (): void {
    while (this.#link !== undefined && this.#inFlight.size < this.#options.inflight) {
      const capture = this.#waiting.shift()
      if (capture === undefined) return
      this.#send(this.#link, capture)
    }
  }

  #send (link: Link, capture: Capture): void {
    const { source, now, observe } = this.#deps
    const image = source.render(capture.mark, this.#options.index)
    const sha256 = createHash('sha256').update(image).digest('hex')
    const payload = this.#options.format === 'raw' ? image : wrap(capture, image, sha256)
    const isAgain = capture.sha256 !== undefined
    capture.sha256 = sha256
    this.#inFlight.add(capture)
    observe({ kind: 'sent', sha256, bytes: image.length, isAgain })
    const { mark: { deviceId, capturedAt: plannedAt }, imageId } = capture
    const facts = { device: deviceId, imageId, bytes: image.length, sha256, plannedAt }
    const sentAt = now()
    const topic = formatImageTopic(this.#options.topicPrefix, deviceId, imageId)
    // What waits here for the PUBACK must not hold the image, or an outage fills the memory with them.
    link.publish(topic, payload).then(() => {
      if (this.#link !== link) return // the connection was lost first, and so was this PUBACK
      this.#inFlight.delete(capture)
      this.#fruitless = 0
      observe({ kind: 'acknowledged', image: { ...facts, ackedAt: now() }, sentAt })
      this.#fill()
    }, () => {}) // the connection is gone, and all that was in flight waits again
  }
}

/** Exponential with full jitter, so that devices cut off together do not come back together. */
export function backoffMs (attempts: number, random: () => number = Math.random): number {
  return random() * Math.min(BACKOFF_MS_MAX, BACKOFF_MS_FIRST * 2 ** attempts)
}

// The JSON envelope of the wire contract.
function wrap ({ mark, imageId }: Capture, image: Buffer, sha256: string): Buffer {
  const capturedAt = new Date(mark.capturedAt).toISOString()
  return Buffer.from(JSON.stringify({ id: imageId, capturedAt, sha256, image: image.toString('base64') }))
}
