import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { openLink, type Link } from '../../device-sim/devices/link.ts'
import type { Random } from '../../device-sim/random.ts'
import { sha256 } from './bridge.ts'
import { jpegOf } from './jpeg.ts'

const WINDOW = 3

interface Image {
  readonly id: string
  readonly bytes: Buffer
}

/** Keeps every image it has no PUBACK for, and sends it again over the next connection. */
export class Device {
  readonly id: string
  /** SHA-256 of what it has forgotten because it was PUBACKed, by image id. */
  readonly acknowledged = new Map<string, string>()
  readonly #random: Random
  readonly #kept: Image[] = []
  readonly #captured: Image[] = []

  constructor (id: string, random: Random) {
    this.id = id
    this.#random = random
  }

  /** How many images it ever had. */
  get captured (): number { return this.#captured.length }

  /**
   * Captures and publishes, a few images at a time and `restMs` after each, until the connection is gone, be it before
   * CONNACK.
   */
  async publishUntilCut (port: number, restMs = 0): Promise<void> {
    const opening = await openLink({ host: '127.0.0.1', port, clientId: this.id })
    if (opening.kind === 'open') await this.#publish(opening.link, () => this.#kept.shift() ?? this.#capture(), restMs)
  }

  /** Captures nothing more, and publishes what it has no PUBACK for. */
  async publishKept (port: number): Promise<void> {
    await this.#publishTo(port, this.#kept.splice(0).values())
  }

  /** Captures nothing more, and publishes every image it ever had, in no order, as if no PUBACK had come. */
  async publishAllAgain (port: number): Promise<void> {
    await this.#publishTo(port, this.#captured.toSorted(() => this.#random() - 0.5).values())
  }

  async #publishTo (port: number, images: Iterator<Image, undefined>): Promise<void> {
    const opening = await openLink({ host: '127.0.0.1', port, clientId: this.id })
    if (opening.kind === 'failed') throw new Error(`${this.id} was not let in: ${opening.reason}`)
    await this.#publish(opening.link, () => images.next().value)
    opening.link.close(false)
    assert.equal(this.acknowledged.size, this.captured, `${this.id} was cut off`)
  }

  async #publish (link: Link, next: () => Image | undefined, restMs = 0): Promise<void> {
    let isOpen = true
    const closed = link.closed.then(() => { isOpen = false })
    await Promise.all(Array.from({ length: WINDOW }, async () => {
      for (let image = next(); image !== undefined; image = isOpen ? next() : undefined) {
        const { id, bytes } = image
        const published = link.publish(`devices/${this.id}/images/${id}`, bytes).then(() => true, () => false)
        if (await Promise.race([published, closed.then(() => false)])) this.acknowledged.set(id, sha256(bytes))
        else this.#kept.push(image)
        if (restMs > 0) await delay(restMs)
      }
    }))
  }

  #capture (): Image {
    const bytes = jpegOf(20_000 + Math.floor(this.#random() * 40_000))
    const image = { id: `n${this.#captured.length}`, bytes }
    this.#captured.push(image)
    return image
  }
}

/** SHA-256 of what the devices have a PUBACK for, by `deviceId/imageId`. */
export function acknowledgedBy (devices: readonly Device[]): Map<string, string> {
  return new Map(devices.flatMap(({ id, acknowledged }) =>
    [...acknowledged].map(([imageId, hash]) => [`${id}/${imageId}`, hash] as const)))
}

/** How many images they ever had, all together. */
export function capturedBy (devices: readonly Device[]): number {
  return devices.reduce((sum, { captured }) => sum + captured, 0)
}
