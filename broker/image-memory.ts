/** What has at least so many bytes comes out of the pool: an image, not a PINGREQ. */
const POOLED_BYTES_MIN = 16 * 1024
/** Sizes are rounded up to this share of themselves, so that images of about one size share memory. */
const CLASSES_PER_DOUBLING = 8

/**
 * Memory for images, used again once an image is in somebody else's custody. Without that V8 would see a quarter of a
 * megabyte of fresh external memory for every image, and collect its whole heap several times a second.
 */
export class ImageMemory {
  readonly #idleBytesMax: number
  /** By size. */
  readonly #idle = new Map<number, ArrayBuffer[]>()
  /** Given out and not back yet. What never comes back is collected like any other buffer. */
  readonly #lent = new WeakSet<ArrayBufferLike>()
  #idleBytes = 0

  /** `idleBytesMax`: what is kept at most while nobody uses it. */
  constructor (idleBytesMax: number) {
    this.#idleBytesMax = idleBytesMax
  }

  get idleBytes (): number { return this.#idleBytes }

  /** Not cleared: it holds what was there before. */
  allocate (bytes: number): Buffer {
    if (bytes < POOLED_BYTES_MIN) return Buffer.allocUnsafeSlow(bytes)
    const size = roundUp(bytes)
    const memory = this.#idle.get(size)?.pop()
    if (memory !== undefined) this.#idleBytes -= size
    const lent = memory ?? Buffer.allocUnsafeSlow(size).buffer as ArrayBuffer // never shared
    this.#lent.add(lent)
    return Buffer.from(lent, 0, bytes)
  }

  /**
   * Takes back the memory that `view` is a part of, if it came from here. The caller vouches that nobody reads
   * it any more: it will be overwritten.
   */
  giveBack (view: Buffer): void {
    const memory = view.buffer
    if (!this.#lent.delete(memory)) return
    if (this.#idleBytes + memory.byteLength > this.#idleBytesMax) this.#forget() // sizes have changed
    if (memory.byteLength > this.#idleBytesMax) return
    this.#idleBytes += memory.byteLength
    const same = this.#idle.get(memory.byteLength)
    if (same === undefined) this.#idle.set(memory.byteLength, [memory as ArrayBuffer])
    else same.push(memory as ArrayBuffer)
  }

  #forget (): void {
    this.#idle.clear()
    this.#idleBytes = 0
  }
}

function roundUp (bytes: number): number {
  const step = 2 ** Math.max(0, Math.ceil(Math.log2(bytes)) - 1) / CLASSES_PER_DOUBLING
  return Math.ceil(bytes / step) * step
}
