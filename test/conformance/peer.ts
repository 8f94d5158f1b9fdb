import assert from 'node:assert/strict'
import type { Duplex } from 'node:stream'
import {
  connack, firstPacket, pingreq, pingresp, puback, readPublish, suback, subscribe, type Delivery
} from './packets.ts'

const PATIENCE_MS = 10_000

/** One connection, packet by packet. */
export class Peer {
  readonly stream: Duplex
  #bytes = Buffer.alloc(0)
  #isEnded = false
  #wake = (): void => {}

  constructor (stream: Duplex) {
    this.stream = stream
    stream.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#wake()
    })
    stream.on('error', () => {}) // cut by the broker
    for (const event of ['end', 'close']) {
      stream.once(event, () => {
        this.#isEnded = true
        this.#wake()
      })
    }
  }

  send (...packets: readonly Buffer[]): this {
    this.stream.write(Buffer.concat(packets))
    return this
  }

  /** The next packet. */
  async next (): Promise<Buffer> {
    const bytes = await this.#nextOrEnd()
    assert.ok(bytes !== undefined, 'the connection ended, and a packet was to come')
    return bytes
  }

  /** The next packet is this. */
  async gets (...packets: readonly Buffer[]): Promise<this> {
    for (const packet of packets) assert.equal((await this.next()).toString('hex'), packet.toString('hex'))
    return this
  }

  /** The next packet is a PUBLISH of this. */
  async delivered (expected: Partial<Delivery> = {}): Promise<Delivery> {
    const delivery = readPublish(await this.next())
    for (const [key, value] of Object.entries(expected)) assert.equal(delivery[key as keyof Delivery], value, key)
    return delivery
  }

  /** Nothing came that was not asked for, and the connection is there. */
  async isQuiet (): Promise<this> {
    return await this.send(pingreq).gets(pingresp)
  }

  /** The connection ends, and no packet comes before that. */
  async ends (): Promise<void> {
    const bytes = await this.#nextOrEnd()
    assert.equal(bytes?.toString('hex'), undefined, 'the connection was to end')
  }

  /** Sends what the connection is to end for. */
  async isCutBy (...packets: readonly Buffer[]): Promise<void> {
    await this.send(...packets).ends()
  }

  async subscribes (filters: Readonly<Record<string, number>>): Promise<this> {
    return await this.send(subscribe(9, filters)).gets(suback(9, ...Object.values(filters)))
  }

  async admitted (isPresent = false): Promise<this> {
    return await this.gets(connack(0, isPresent))
  }

  acknowledge (id: number): this { return this.send(puback(id)) }

  /** As if the network had failed. */
  drop (): void { this.stream.destroy() }

  async #nextOrEnd (): Promise<Buffer | undefined> {
    const deadline = performance.now() + PATIENCE_MS
    for (;;) {
      const bytes = this.#bytes.length > 1 ? firstPacket(this.#bytes) : undefined
      if (bytes !== undefined) {
        this.#bytes = this.#bytes.subarray(bytes.length)
        return bytes
      }
      if (this.#isEnded) return undefined
      assert.ok(performance.now() < deadline, 'neither a packet nor the end of the connection came')
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, PATIENCE_MS)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
}
