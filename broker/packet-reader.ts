import type { Socket } from 'node:net'
import { HeaderReader, Packet, type Header } from './frame.ts'
import type { ImageMemory } from './image-memory.ts'
import { Wire } from './wire.ts'

export interface PacketReaderDeps {
  readonly memory: ImageMemory
  /** Asked of every header before anything of its packet is kept. */
  readonly judge: (header: Header | 'malformed') => void
  /** So many bytes arrived; the time for `next`. */
  readonly received: (bytes: number) => void
  /** While it says no, nothing is read and nothing is begun. */
  readonly isReading: () => boolean
}

/** Between packets; all connections share it. Its content is dealt with before anybody else's is put there. */
const headerRoom = Buffer.allocUnsafeSlow(4096)

/**
 * Cuts what a peer sends into whole packets. Headers are read into a small buffer, bodies straight into the memory
 * of their packet. So a connection that has to wait costs what came in one small read with its header.
 */
export class PacketReader {
  readonly #deps: PacketReaderDeps
  readonly #wire: Wire
  readonly #header = new HeaderReader()
  #packet: Packet | undefined
  /** Read, and not yet part of a packet. */
  #rest: Buffer | undefined
  /** Whether the next bytes are read into the packet; else into headerRoom. */
  #isDirect = false

  constructor (accepted: Socket, deps: PacketReaderDeps) {
    this.#deps = deps
    this.#wire = new Wire(accepted, { room: () => this.#room(), received: (bytes) => this.#received(bytes) })
  }

  /** To write to and to listen to. */
  get socket (): Socket { return this.#wire.socket }

  /** Of the packet that is being read, once it has begun. */
  get header (): Header | undefined { return this.#packet?.header }

  get isBetweenPackets (): boolean { return this.#packet === undefined && !this.#header.hasBegun }

  /** True where more was read than belongs to the packets that were taken. */
  get isAhead (): boolean { return this.#rest !== undefined }

  /** Reads on; in a later tick. */
  resume (): void { this.#wire.resume() }

  /** The next packet, from its first byte to its last, where all of it is here. */
  next (): Buffer | undefined {
    while (this.#rest !== undefined && this.#packet?.isWhole !== true && this.#deps.isReading()) this.#take(this.#rest)
    if (this.#packet?.isWhole !== true || !this.#deps.isReading()) return undefined
    const { bytes } = this.#packet
    this.#packet = undefined
    return bytes
  }

  /** Forgets what was read of packets that are not whole. */
  drop (): void {
    this.#rest = undefined
    this.#packet = undefined
  }

  #room (): Buffer {
    const room = this.#deps.isReading() ? this.#packet?.room : undefined
    this.#isDirect = room !== undefined
    return room ?? headerRoom
  }

  #received (bytes: number): boolean {
    if (this.#isDirect) this.#packet?.filled(bytes)
    else this.#rest = headerRoom.subarray(0, bytes)
    this.#deps.received(bytes)
    if (this.#rest !== undefined) this.#rest = Buffer.from(this.#rest)
    return this.#deps.isReading()
  }

  #take (chunk: Buffer): void {
    const taken = this.#packet === undefined ? this.#readHeader(chunk) : this.#packet.take(chunk)
    this.#rest = taken < chunk.length ? chunk.subarray(taken) : undefined
  }

  #readHeader (chunk: Buffer): number {
    for (let at = 0; at < chunk.length; at++) {
      const header = this.#header.read(chunk.readUInt8(at))
      if (header === undefined) continue
      if (header !== 'malformed') this.#packet = new Packet(header, (bytes) => this.#deps.memory.allocate(bytes))
      this.#deps.judge(header)
      return at + 1
    }
    return chunk.length
  }
}
