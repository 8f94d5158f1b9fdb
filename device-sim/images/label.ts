// The label in a picture: two lines at its top, "device #number" and the time of capture. A character
// fills whole coded units of the JPEG, so each glyph is transformed once, and a label is a matter of
// stringing their codes together: a few tenths of a millisecond an image at the most, where
// encoding the strip with sharp takes two.

import { codeBlock, IntervalCoder, type Block, type Tables } from './coded-unit.ts'
import { CHARACTERS, GLYPH_COLUMNS, GLYPH_ROWS, isInked } from './font.ts'
import type { Mark } from './mark.ts'

/** A coded unit is 16 x 16 pixels at 4:2:0. */
export const UNIT = 16
const LINES = 2
const BLOCK = 8
const PAPER = 16
const INK = 235

/** Pictures this wide have letters of twice the size. */
const LARGE_WIDTH_MIN = 1024
/** The time takes 24 characters. */
export const LABEL_WIDTH_MIN = 24 * UNIT

/** The height of the label in a picture of this width, in pixels. */
export function labelHeight (width: number): number {
  return LINES * UNIT * unitsPerCharacter(width)
}

/** The lines as they are drawn; a device id that does not fit shows its end, behind a `~`. */
export function labelLines (
  { deviceId, number, capturedAt }: Mark, columns: number
): readonly [string, string] {
  const count = ` #${String(number).padStart(6, '0')}`
  const room = Math.max(1, columns - count.length)
  const device = deviceId.length <= room ? deviceId : `~${deviceId.slice(deviceId.length - room + 1)}`
  return [device + count, new Date(capturedAt).toISOString().replace('T', ' ')]
}

/** The coded units of one character, from left to right, then down. */
type Glyph = readonly (readonly Block[])[]

/** Codes labels for pictures of one width; the result is the first restart interval of the picture. */
export class Labels {
  readonly #tables: Tables
  readonly #coder: IntervalCoder
  readonly #perCharacter: number
  readonly #columns: number
  readonly #glyphs: ReadonlyMap<string, Glyph>
  readonly #blank: Glyph

  constructor (tables: Tables, width: number) {
    this.#tables = tables
    this.#coder = new IntervalCoder(tables)
    this.#perCharacter = unitsPerCharacter(width)
    this.#columns = width / UNIT
    // All of them now: coded as they occur, they would make the first captures late.
    this.#glyphs = new Map(CHARACTERS.map((character) => [character, this.#codeGlyph(character)]))
    this.#blank = this.#codeGlyph(' ')
  }

  code (mark: Mark): Buffer {
    const lines = labelLines(mark, Math.floor(this.#columns / this.#perCharacter))
    return this.#coder.code(this.#units(lines))
  }

  /** In the order of the scan: from left to right, then down. */
  * #units (lines: readonly string[]): Generator<readonly Block[]> {
    const per = this.#perCharacter
    for (const line of lines) {
      const glyphs = Array.from(line, (character) => this.#glyphs.get(character) ?? this.#blank)
      for (let row = 0; row < per; row++) {
        for (let column = 0; column < this.#columns; column++) {
          const glyph = glyphs[Math.floor(column / per)] ?? this.#blank
          yield glyph[row * per + column % per] ?? []
        }
      }
    }
  }

  #codeGlyph (character: string): Glyph {
    const per = this.#perCharacter
    return Array.from({ length: per * per }, (_, unit) => Array.from({ length: 4 }, (_, block) => {
      const left = unit % per * UNIT + block % 2 * BLOCK
      const top = Math.floor(unit / per) * UNIT + (block >> 1) * BLOCK
      return codeBlock(drawBlock(character, { left, top, dot: 2 * per }), this.#tables)
    }))
  }
}

interface Corner {
  readonly left: number
  readonly top: number
  /** Pixels a dot of the typeface is wide. */
  readonly dot: number
}

// A glyph of 5 x 7 dots stands in a field of 8 x 8, half a dot from its top.
function drawBlock (character: string, { left, top, dot }: Corner): Uint8Array {
  return Uint8Array.from({ length: BLOCK * BLOCK }, (_, at) => {
    const column = Math.floor((left + at % BLOCK) / dot) - 1
    const row = Math.floor((top + Math.floor(at / BLOCK)) / dot - 0.5)
    const isInside = column >= 0 && column < GLYPH_COLUMNS &&
      row >= 0 && row < GLYPH_ROWS
    return isInside && isInked(character, column, row) ? INK : PAPER
  })
}

function unitsPerCharacter (width: number): number {
  return width >= LARGE_WIDTH_MIN ? 2 : 1
}
