// Devices that press the shutter at the same moment, and need not wait for a PUBACK before they send the next image:
// what they want of the service's memory is all there at once. All send the same bytes, under names of their own.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { connectPacket, header } from '../helpers/mqtt.ts'

export interface Shooting {
  readonly image: Buffer
  readonly count: number
  /** Images without PUBACK at a time. */
  readonly window: number
}

const TOGETHER = 100

export class Shutter {
  readonly id: string
  readonly #socket: Socket
  #rest = Buffer.alloc(0)
  #shooting: Shooting | undefined
  #sent = 0
  /** Times in ms: the start, and each PUBACK. */
  readonly #moments: number[] = []

  private constructor (id: string, socket: Socket) {
    this.id = id
    this.#socket = socket
    socket.on('error', () => {}) // `isCut` tells
  }

  static async open (t: TestContext, port: number, id: string): Promise<Shutter> {
    const socket = connect(port, '127.0.0.1').setNoDelay(true)
    t.after(() => socket.destroy())
    socket.write(connectPacket({ clientId: id }))
    const [connack] = await once(socket, 'data') as [Buffer]
    if (connack[3] !== 0) throw new Error(`${id} was not let in: CONNACK ${connack[3]}`)
    const shutter = new Shutter(id, socket)
    socket.on('data', (chunk: Buffer) => shutter.#receive(chunk))
    return shutter
  }

  get isCut (): boolean { return this.#socket.closed || this.#socket.readableEnded }
  get acknowledged (): number { return Math.max(0, this.#moments.length - 1) }
  /** Of each image: from the PUBACK before it, or the start, to its own. */
  get waitsMs (): number[] { return this.#moments.slice(1).map((at, nth) => at - (this.#moments[nth] ?? NaN)) }

  shoot (shooting: Shooting): void {
    this.#shooting = shooting
    this.#moments.push(performance.now())
    for (let i = 0; i < Math.min(shooting.window, shooting.count); i++) this.#send(shooting)
  }

  #receive (chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    for (; this.#rest.length >= 4; this.#rest = this.#rest.subarray(4)) { // PUBACKs have four bytes each
      this.#moments.push(performance.now())
      if (this.#shooting !== undefined && this.#sent < this.#shooting.count) this.#send(this.#shooting)
    }
  }

  #send ({ image }: Shooting): void {
    const packetId = ++this.#sent
    const topic = Buffer.from(`devices/${this.id}/images/n${packetId}`)
    const name = Buffer.concat([uint16(topic.length), topic, uint16(packetId)])
    const head = Buffer.concat([header(0x32, name.length + image.length), name])
    this.#socket.cork()
    this.#socket.write(head)
    this.#socket.write(image) // not copied: thousands of them wait here
    this.#socket.uncork()
  }
}

export async function openShutters (
  t: TestContext, port: number, { prefix, count }: { readonly prefix: string, readonly count: number }
): Promise<Shutter[]> {
  const shutters: Shutter[] = []
  while (shutters.length < count) {
    const together = Array.from({ length: Math.min(TOGETHER, count - shutters.length) }, (_, nth) =>
      Shutter.open(t, port, `${prefix}-${shutters.length + nth}`))
    shutters.push(...await Promise.all(together))
  }
  return shutters
}

export function acknowledgedOf (shutters: readonly Shutter[]): number {
  return shutters.reduce((sum, { acknowledged }) => sum + acknowledged, 0)
}

function uint16 (value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff)
}
