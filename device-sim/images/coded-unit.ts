// A grey corner of a baseline JPEG encoder (ITU-T T.81, Annex F), for the labels in the pictures:
// 8 x 8 samples are transformed, quantised and turned into Huffman codes with the tables of the image
// that they will be part of. A coded unit at 4:2:0 is four blocks of luminance, then one of each chrominance.

import { jpegSegments } from './jpeg.ts'

/** The code of each symbol and its length in bits; 0 where the table has no such symbol. */
interface HuffmanTable {
  readonly codes: Uint16Array
  readonly lengths: Uint8Array
}

/** What an image declares before its scan; libjpeg uses table 0 for luminance and table 1 for chrominance. */
export interface Tables {
  /** Table 0, in zigzag order. */
  readonly quantisation: Uint16Array
  readonly dc: readonly [HuffmanTable, HuffmanTable]
  readonly ac: readonly [HuffmanTable, HuffmanTable]
}

/** One block, quantised: the DC coefficient, which is coded as a difference, and the codes of all others. */
export interface Block {
  readonly dc: number
  /** Pairs: bits, then how many. */
  readonly ac: readonly number[]
}

const DQT = 0xdb
const DHT = 0xc4
const END_OF_BLOCK = 0x00
const SIXTEEN_ZEROS = 0xf0

// Figure A.6: where the nth coefficient on the zigzag path stands in the block, row by row.
const ZIGZAG = [
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48,
  41, 34, 27, 20, 13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
  30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63
] as const

export function readTables (jpeg: Buffer): Tables {
  let quantisation: Uint16Array | undefined
  const huffman = new Map<number, HuffmanTable>()
  for (const { marker, start, end } of jpegSegments(jpeg) ?? []) {
    const content = jpeg.subarray(start + 4, end)
    const isEightBitTable0 = marker === DQT && content[0] === 0 // B.2.4.1
    if (isEightBitTable0) quantisation = Uint16Array.from(content.subarray(1, 65))
    if (marker === DHT) readHuffman(content, huffman)
  }
  const [dc0, dc1, ac0, ac1] = [0x00, 0x01, 0x10, 0x11].map((id) => huffman.get(id))
  if (quantisation === undefined || !dc0 || !dc1 || !ac0 || !ac1) {
    throw new Error('a JPEG without the usual tables')
  }
  return { quantisation, dc: [dc0, dc1], ac: [ac0, ac1] }
}

/** `samples` are 64 values of 0 to 255, row by row. */
export function codeBlock (samples: ArrayLike<number>, { quantisation, ac: [table] }: Tables): Block {
  const spectrum = transform(samples)
  const ac: number[] = []
  const push = (symbol: number): void => { ac.push(table.codes[symbol] ?? 0, table.lengths[symbol] ?? 0) }
  let zeros = 0
  for (let k = 1; k < 64; k++) {
    const value = quantise(spectrum, quantisation, k)
    if (value === 0) {
      zeros++
      continue
    }
    for (; zeros > 15; zeros -= 16) push(SIXTEEN_ZEROS)
    const size = magnitude(value)
    push(zeros << 4 | size)
    ac.push(magnitudeBits(value, size), size)
    zeros = 0
  }
  if (zeros > 0) push(END_OF_BLOCK)
  return { dc: quantise(spectrum, quantisation, 0), ac }
}

/** A coded unit behind a given DC value: pairs of bits and how many, and the DC value that it ends with. */
interface CodedUnit {
  readonly bits: readonly number[]
  readonly dc: number
}

/** Writes restart intervals of coded units, from four blocks of luminance each; they stay grey. */
export class IntervalCoder {
  readonly #tables: Tables
  /** A label is made of a few hundred units, again and again. */
  readonly #coded = new Map<readonly Block[], Map<number, CodedUnit>>()

  constructor (tables: Tables) {
    this.#tables = tables
  }

  code (units: Iterable<readonly Block[]>): Buffer {
    const writer = new BitWriter()
    let predicted = 0 // at the start of every interval (F.1.1.5.1)
    for (const unit of units) {
      const { bits, dc } = this.#codedAfter(predicted, unit)
      for (let at = 0; at < bits.length; at += 2) writer.write(bits[at] ?? 0, bits[at + 1] ?? 0)
      predicted = dc
    }
    return writer.end()
  }

  #codedAfter (predicted: number, unit: readonly Block[]): CodedUnit {
    const known = this.#coded.get(unit) ?? new Map<number, CodedUnit>()
    this.#coded.set(unit, known)
    const coded = known.get(predicted) ?? codeUnit(unit, predicted, this.#tables)
    known.set(predicted, coded)
    return coded
  }
}

function codeUnit (unit: readonly Block[], predicted: number, { dc, ac }: Tables): CodedUnit {
  const [luminance, chrominance] = dc
  const bits = new JoinedBits()
  let last = predicted
  for (const block of unit) {
    const difference = block.dc - last
    last = block.dc
    const size = magnitude(difference)
    bits.push(luminance.codes[size] ?? 0, luminance.lengths[size] ?? 0)
    bits.push(magnitudeBits(difference, size), size)
    for (let at = 0; at < block.ac.length; at += 2) bits.push(block.ac[at] ?? 0, block.ac[at + 1] ?? 0)
  }
  for (let component = 0; component < 2; component++) {
    bits.push(chrominance.codes[0] ?? 0, chrominance.lengths[0] ?? 0)
    bits.push(ac[1].codes[END_OF_BLOCK] ?? 0, ac[1].lengths[END_OF_BLOCK] ?? 0)
  }
  return { bits: bits.pairs, dc: last }
}

/** What BitWriter takes at one time. */
const JOINED_BITS_MAX = 24

/** Joins codes, since a write costs the same for one bit as for many. */
class JoinedBits {
  readonly pairs: number[] = []

  push (bits: number, count: number): void {
    const last = this.pairs.length - 2
    const room = JOINED_BITS_MAX - (this.pairs[last + 1] ?? JOINED_BITS_MAX)
    if (count > room) {
      this.pairs.push(bits, count)
      return
    }
    this.pairs[last] = (this.pairs[last] ?? 0) << count | bits
    this.pairs[last + 1] = (this.pairs[last + 1] ?? 0) + count
  }
}

// Annex C: codes of one length are consecutive, and those of the next length go on from twice the next one.
function readHuffman (content: Buffer, tables: Map<number, HuffmanTable>): void {
  for (let at = 0; at + 17 <= content.length;) {
    const id = content[at] ?? 0
    const counts = content.subarray(at + 1, at + 17)
    at += 17
    const table = { codes: new Uint16Array(256), lengths: new Uint8Array(256) }
    let code = 0
    counts.forEach((count, index) => {
      for (let n = 0; n < count; n++, at++, code++) {
        const symbol = content[at] ?? 0
        table.codes[symbol] = code
        table.lengths[symbol] = index + 1
      }
      code <<= 1
    })
    tables.set(id, table)
  }
}

// A.3.3, along the rows and then along the columns.
function transform (samples: ArrayLike<number>): Float64Array {
  const along = Float64Array.from({ length: 64 }, (_, at) => {
    const [y, u] = [at >> 3, at & 7]
    let sum = 0
    for (let x = 0; x < 8; x++) sum += ((samples[y * 8 + x] ?? 0) - 128) * (WAVES[x * 8 + u] ?? 0)
    return sum
  })
  return Float64Array.from({ length: 64 }, (_, at) => {
    const [v, u] = [at >> 3, at & 7]
    let sum = 0
    for (let y = 0; y < 8; y++) sum += (along[y * 8 + u] ?? 0) * (WAVES[y * 8 + v] ?? 0)
    return sum / 4
  })
}

// The wave of each frequency at each position, scaled.
const WAVES = Float64Array.from({ length: 64 }, (_, at) => {
  const [position, frequency] = [at >> 3, at & 7]
  return (frequency === 0 ? Math.SQRT1_2 : 1) * Math.cos((2 * position + 1) * frequency * Math.PI / 16)
})

function quantise (spectrum: Float64Array, quantisation: Uint16Array, k: number): number {
  return Math.round((spectrum[ZIGZAG[k] ?? 0] ?? 0) / (quantisation[k] ?? 1))
}

// F.1.2.1: a value is coded as the number of its bits and then those bits; a negative one as its
// distance from -2^size + 1.
function magnitude (value: number): number {
  return 32 - Math.clz32(Math.abs(value))
}

function magnitudeBits (value: number, size: number): number {
  return value >= 0 ? value : value + (1 << size) - 1
}

class BitWriter {
  #bytes = Buffer.allocUnsafe(4096)
  #length = 0
  #pending = 0
  #pendingBits = 0

  write (bits: number, count: number): void {
    this.#pending = this.#pending << count | bits // at most 7 + 24 bits
    this.#pendingBits += count
    while (this.#pendingBits >= 8) {
      this.#pendingBits -= 8
      this.#push(this.#pending >> this.#pendingBits & 0xff)
    }
    this.#pending &= (1 << this.#pendingBits) - 1
  }

  /** Fills the last byte with ones (F.1.2.3). */
  end (): Buffer {
    if (this.#pendingBits > 0) this.write((1 << 8 - this.#pendingBits) - 1, 8 - this.#pendingBits)
    return this.#bytes.subarray(0, this.#length)
  }

  #push (byte: number): void {
    if (this.#length + 2 > this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes, Buffer.allocUnsafe(this.#bytes.length)])
    }
    this.#bytes[this.#length++] = byte
    if (byte === 0xff) this.#bytes[this.#length++] = 0 // or it would read as a marker (B.1.1.5)
  }
}
