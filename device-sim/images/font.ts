// A typeface of 5 x 7 dots. The pictures cannot lean on the machine's fonts: a slim container has
// none, and text set in a missing font is drawn as nothing at all.
//
// A glyph is seven rows from top to bottom, two hex digits each; bit 4 is the leftmost dot.

export const GLYPH_COLUMNS = 5
export const GLYPH_ROWS = 7

const GLYPHS: Readonly<Record<string, string>> = {
  ' ': '00000000000000',
  '#': '0a0a1f0a1f0a0a',
  '-': '0000001f000000',
  '.': '00000000000c0c',
  ':': '000c0c000c0c00',
  '/': '00010204081000',
  _: '0000000000001f',
  '~': '00000815020000',
  0: '0e11131519110e',
  1: '040c040404040e',
  2: '0e11010204081f',
  3: '1f02040201110e',
  4: '02060a121f0202',
  5: '1f101e0101110e',
  6: '0608101e11110e',
  7: '1f010204080808',
  8: '0e11110e11110e',
  9: '0e11110f01020c',
  A: '0e11111f111111',
  B: '1e11111e11111e',
  C: '0e11101010110e',
  D: '1c12111111121c',
  E: '1f10101e10101f',
  F: '1f10101e101010',
  G: '0e11101711110f',
  H: '1111111f111111',
  I: '0e04040404040e',
  J: '0702020202120c',
  K: '11121418141211',
  L: '1010101010101f',
  M: '111b1515111111',
  N: '11111915131111',
  O: '0e11111111110e',
  P: '1e11111e101010',
  Q: '0e11111115120d',
  R: '1e11111e141211',
  S: '0f10100e01011e',
  T: '1f040404040404',
  U: '1111111111110e',
  V: '11111111110a04',
  W: '11111115151b11',
  X: '11110a040a1111',
  Y: '1111110a040404',
  Z: '1f01020408101f',
  a: '00000e010f110f',
  b: '1010161911111e',
  c: '00000e1010110e',
  d: '01010d1311110f',
  e: '00000e111f100e',
  f: '0609081c080808',
  g: '000f11110f010e',
  h: '10101619111111',
  i: '04000c0404040e',
  j: '0200060202120c',
  k: '10101214181412',
  l: '0c04040404040e',
  m: '00001a15151111',
  n: '00001619111111',
  o: '00000e1111110e',
  p: '001e11111e1010',
  q: '000d13110f0101',
  r: '00001619101010',
  s: '00000f100e011e',
  t: '08081c0808090e',
  u: '0000111111130d',
  v: '00001111110a04',
  w: '0000111115150a',
  x: '0000110a040a11',
  y: '001111110f010e',
  z: '00001f0204081f'
}

export const CHARACTERS: readonly string[] = Object.keys(GLYPHS)

/** Whether the dot is inked. A character without a glyph is blank; device ids have none such. */
export function isInked (character: string, column: number, row: number): boolean {
  const glyph = GLYPHS[character] ?? ''
  return (parseInt(glyph.slice(row * 2, row * 2 + 2), 16) >> (GLYPH_COLUMNS - 1 - column) & 1) === 1
}
