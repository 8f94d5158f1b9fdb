import type { DeviceId } from '../../broker/topics.ts'
import type { ImageSource } from '../images/image-source.ts'
import type { Mark } from '../images/mark.ts'
import type { Group } from '../scenario/scenario.ts'
import { sleepUntil } from '../sleep-until.ts'
import { backoffMs } from './backoff.ts'
import { createCapture, expectationOf, render, wrap, type Capture, type Rendered } from './capture.ts'
import type { Loss, Observe, SentImage } from './events.ts'
import { openLink, type Ending, type Link, type LinkOptions } from './link.ts'

export interface DeviceDeps {
  readonly source: ImageSource
  readonly observe: Observe
  /** ms since epoch, never going back. */
  readonly now: () => number
  /** In a closed loop: whether one more image may be taken, now that there is room to send it. */
  readonly take?: () => boolean
}

export interface DeviceOptions {
  readonly id: DeviceId
  /** Among all devices of the run. */
  readonly index: number
  readonly number: number
  readonly run: string
  readonly group: Group
  readonly target: Omit<LinkOptions, 'clientId' | 'isClean' | 'pace'>
  /** How far its clock is off. */
  readonly clockErrorMs: number
}

/** What can happen to a device; with `power` it may forget what waits. */
export type Mishap = Ending | 'power'

const TOO_LARGE_CUTS = 2
const PACKET_IDS = 65_535

/**
 * One device: it keeps what it captured until the PUBACK. A capture waits, is in flight, and after a
 * lost connection waits again, before all younger ones; where more wait than it has room for, one is
 * dropped.
 */
export class Device {
  readonly #deps: DeviceDeps
  readonly #options: DeviceOptions
  #waiting: Capture[] = []
  readonly #inFlight = new Set<Capture>()
  #link: Link | undefined
  #captures = 0
  #prepared: { readonly mark: Mark, readonly image: Rendered } | undefined
  #packetId = 0
  /** Connections tried since the last PUBACK; one that is cut at every PUBLISH is no better than none. */
  #fruitless = 0
  #downUntil = 0
  #isRetired = false

  constructor (deps: DeviceDeps, options: DeviceOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** Presses the shutter, whether or not anything can be sent. */
  capture (plannedAt: number): void {
    const { queue, inflight, onFull } = this.#options.group
    this.#deps.observe({ kind: 'captured', plannedAt, lagMs: this.#deps.now() - plannedAt })
    this.#waiting.push(this.#take(plannedAt))
    this.#fill()
    while (this.#waiting.length + this.#inFlight.size > queue + inflight) {
      this.#drop(onFull === 'drop-oldest' ? this.#waiting.shift() : this.#waiting.pop(), 'full')
    }
  }

  /** Makes the next image ahead of its time: those of many devices may be due in one moment. */
  prepare (plannedAt: number): void {
    const capture = createCapture(this.#markOf(this.#captures + 1, plannedAt), plannedAt, this.#options.group)
    if (capture.kind !== 'whole') return // that would be copies of whole images to keep
    this.#prepared = { mark: capture.mark, image: render(capture, this.#deps.source, this.#options) }
  }

  /** In a closed loop: the first images may be taken now. */
  begin (): void {
    this.#fill()
  }

  /** Connects, and again whenever the connection is lost, until aborted. */
  async run (signal: AbortSignal): Promise<void> {
    const { id, target, group: { dup, linkRate, linkLatency } } = this.#options
    const pace = { bytesPerSecond: linkRate, latencyMs: linkLatency }
    for (let connections = 0; !signal.aborted && !this.#isDone;) {
      const opening = await openLink({ ...target, clientId: id, isClean: !dup, pace })
      this.#fruitless++
      if (opening.kind === 'open') {
        this.#deps.observe({ kind: 'connected', isAgain: connections++ > 0 })
        await this.#use(opening.link, signal)
        this.#deps.observe({ kind: 'disconnected' })
      } else {
        this.#deps.observe({ kind: 'connect-failed', device: id, reason: opening.reason })
      }
      await this.#rest(signal)
    }
  }

  /** Loses its connection, and stays down for a while; with no backoff it tries again right after. */
  suffer (mishap: Mishap, forMs: number): void {
    this.#downUntil = Math.max(this.#downUntil, this.#deps.now() + forMs)
    this.#fruitless = -1
    if (mishap !== 'power') {
      this.#link?.end(mishap)
      return
    }
    if (this.#options.group.power === 'forgets') {
      for (const capture of [...this.#inFlight, ...this.#waiting]) this.#drop(capture, 'power')
      this.#inFlight.clear()
      this.#waiting = []
    }
    this.#link?.end('half-open') // a device without power says nothing, not even that it ends
  }

  /** Takes no more pictures, and leaves once those it has are sent. */
  retire (): void {
    this.#isRetired = true
    if (this.#isDone) this.#link?.close(false)
  }

  get #isDone (): boolean {
    return this.#isRetired && this.#waiting.length + this.#inFlight.size === 0
  }

  #take (plannedAt: number): Capture {
    return createCapture(this.#markOf(++this.#captures, plannedAt), plannedAt, this.#options.group)
  }

  #markOf (number: number, plannedAt: number): Mark {
    const { id, run, clockErrorMs } = this.#options
    return { run, deviceId: id, number, capturedAt: plannedAt + clockErrorMs }
  }

  #imageOf (capture: Capture): Rendered {
    const { mark: { number, capturedAt }, kind } = capture
    const { mark, image } = this.#prepared ?? {}
    const isPrepared = kind === 'whole' && mark?.number === number && mark.capturedAt === capturedAt
    if (!isPrepared || image === undefined) return render(capture, this.#deps.source, this.#options)
    this.#prepared = undefined
    return image
  }

  async #rest (signal: AbortSignal): Promise<void> {
    const { first: firstMs, max: maxMs } = this.#options.group.backoff
    let wakeAt = this.#deps.now() + (this.#fruitless < 0 ? 0 : backoffMs(this.#fruitless, { firstMs, maxMs }))
    do {
      wakeAt = Math.max(wakeAt, this.#downUntil)
      await sleepUntil(wakeAt, this.#deps.now, signal)
    } while (this.#downUntil > wakeAt && !signal.aborted) // it may suffer while it rests
  }

  async #use (link: Link, signal: AbortSignal): Promise<void> {
    if (this.#downUntil > this.#deps.now()) link.close(true) // it went down while it connected
    const close = (): void => link.close(this.#inFlight.size > 0)
    signal.addEventListener('abort', close)
    if (signal.aborted) close()
    this.#link = link
    this.#fill()
    await link.closed
    this.#link = undefined
    signal.removeEventListener('abort', close)
    for (const capture of this.#inFlight) capture.cuts++
    const kept = [...this.#inFlight].filter((capture) => { // a Set keeps the order in which they were sent
      const isHopeless = capture.kind === 'oversize' && capture.cuts >= TOO_LARGE_CUTS
      if (isHopeless) this.#drop(capture, 'too-large')
      return !isHopeless
    })
    this.#waiting = [...kept, ...this.#waiting]
    this.#inFlight.clear()
  }

  #drop (capture: Capture | undefined, why: Loss): void {
    if (capture !== undefined && capture.kind !== 'repeat') this.#deps.observe({ kind: 'dropped', why })
  }

  #fill (): void {
    const { group: { inflight } } = this.#options
    while (this.#link !== undefined && this.#inFlight.size < inflight) {
      const capture = this.#waiting.shift() ?? this.#takeNow()
      if (capture === undefined) break
      this.#send(this.#link, capture)
    }
    if (this.#isDone) this.#link?.close(false)
  }

  #takeNow (): Capture | undefined {
    if (this.#isRetired || this.#deps.take?.() !== true) return undefined
    const plannedAt = this.#deps.now()
    this.#deps.observe({ kind: 'captured', plannedAt, lagMs: undefined })
    return this.#take(plannedAt)
  }

  #send (link: Link, capture: Capture): void {
    const { now, observe } = this.#deps
    const rendered = this.#imageOf(capture)
    const { bytes, sha256 } = rendered
    const isAgain = capture.sha256 !== undefined
    capture.sha256 = sha256
    this.#inFlight.add(capture)
    const { mark: { deviceId: device }, imageId, plannedAt } = capture
    const image = { device, imageId, bytes, sha256, plannedAt, expect: expectationOf(capture) }
    if (capture.kind !== 'repeat') observe({ kind: 'sent', image, isAgain })
    // What waits for the PUBACK must not hold the payload, or an outage fills the memory with images.
    const payload = wrap(capture, rendered, this.#options.group.ids)
    const puback = link.publish(this.#formatTopic(capture), payload, this.#publishOptions(capture, isAgain))
    this.#await(puback, { link, capture, image, sentAt: now() })
  }

  #publishOptions (capture: Capture, isAgain: boolean): { packetId?: number, isDup?: boolean } {
    if (!this.#options.group.dup) return {}
    capture.packetId ??= (this.#packetId = this.#packetId % PACKET_IDS + 1)
    return { packetId: capture.packetId, isDup: isAgain }
  }

  #await (puback: Promise<void>, { link, capture, image, sentAt }: {
    readonly link: Link
    readonly capture: Capture
    readonly image: SentImage
    readonly sentAt: number
  }): void {
    const { now, observe } = this.#deps
    puback.then(() => {
      if (this.#link !== link || !this.#inFlight.delete(capture)) return // the connection, or the image, was lost first
      this.#fruitless = 0
      if (capture.kind === 'repeat') observe({ kind: 'repeated' })
      else observe({ kind: 'acknowledged', image: { ...image, ackedAt: now() }, sentAt })
      this.#repeat(capture)
      this.#fill()
    }, () => {}) // the connection is gone, and all that was in flight waits again
  }

  #repeat (capture: Capture): void {
    const { duplicateEvery } = this.#options.group
    if (duplicateEvery === undefined || capture.kind !== 'whole' || capture.mark.number % duplicateEvery !== 0) return
    this.#waiting.unshift({ ...createCapture(capture.mark, capture.plannedAt, this.#options.group), kind: 'repeat' })
  }

  #formatTopic ({ mark, imageId }: Capture): string {
    const { id, number, group: { topic }, target: { username } } = this.#options
    const words: Readonly<Record<string, string>> = {
      '%id': imageId, '%seq': String(mark.number), '%i': String(number), '%c': id, '%u': username ?? ''
    }
    return topic.replaceAll(/%(?:id|seq|i|c|u)/g, (word) => words[word] ?? word)
  }
}
