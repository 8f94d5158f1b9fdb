// A few cameras that send an image now and then, over and over, and can be told to misbehave.

import { setTimeout as delay } from 'node:timers/promises'
import { openLink, type Link } from '../../device-sim/devices/link.ts'
import { jpegOf } from '../helpers/jpeg.ts'
import type { Scope } from './peers.ts'

export interface CameraOptions {
  readonly prefix: string
  readonly count: number
  readonly bytes: number
  readonly everyMs: number
}

const RECONNECT_MS = 300

/** Each keeps an image until it has the PUBACK, and sends it again over the next connection. */
export class Cameras {
  /** What each sends next, and how often. */
  everyMs: number
  /** Nothing is sent; connections stay. */
  isQuiet = false
  /** Of what is sent, the share that is no image. */
  junkShare = 0
  /** How many of them have lost their network. */
  away = 0
  readonly counts = { acknowledged: 0, junk: 0 }
  readonly #options: CameraOptions
  readonly #port: number
  readonly #links = new Set<Link>()
  #isOver = false

  constructor (t: Scope, port: number, options: CameraOptions) {
    this.#options = options
    this.#port = port
    this.everyMs = options.everyMs
    const runs = Promise.all(Array.from({ length: options.count }, (_, nth) => this.#run(nth)))
    t.after(async () => {
      this.#isOver = true
      for (const link of this.#links) link.end('abrupt')
      await runs
    })
  }

  get connected (): number { return this.#links.size }

  async #run (nth: number): Promise<void> {
    let shot = 0
    while (!this.#isOver) {
      const opening = nth < this.away ? undefined : await openLink({ host: '127.0.0.1', port: this.#port, clientId: this.#name(nth) })
      if (opening?.kind === 'open') {
        this.#links.add(opening.link)
        shot = await this.#shoot(opening.link, nth, shot)
        this.#links.delete(opening.link)
      }
      await delay(RECONNECT_MS)
    }
  }

  /** Until the connection is gone; gives the number of the first image without a PUBACK. */
  async #shoot (link: Link, nth: number, first: number): Promise<number> {
    let isOpen = true
    const closed = link.closed.finally(() => { isOpen = false })
    for (let shot = first; ;) {
      if (nth < this.away) link.end('abrupt')
      if (!this.isQuiet && isOpen) {
        const isJunk = Math.random() < this.junkShare
        const payload = isJunk ? Buffer.from('no image at all') : jpegOf(this.#options.bytes)
        const topic = `devices/${this.#name(nth)}/images/${isJunk ? 'junk' : 'shot'}-${shot}`
        const sent = await link.publish(topic, payload).then(() => true, () => false)
        if (sent) {
          this.counts[isJunk ? 'junk' : 'acknowledged']++
          shot++
        }
      }
      await Promise.race([closed, delay(this.everyMs)])
      if (!isOpen || this.#isOver) return shot
    }
  }

  #name (nth: number): string {
    return `${this.#options.prefix}-${nth}`
  }
}
