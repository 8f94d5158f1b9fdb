// As much of JPEG (ITU-T T.81) as it takes to put one image together from parts encoded apart.
//
//   SOI  APP0  COM  DQT..  SOF0  DHT..  DRI  SOS  <interval 0> RST0 <interval 1> RST1 ... EOI
//
// With a restart interval defined (DRI, B.2.4.4) the entropy-coded data is a row of intervals that
// know nothing of each other: each starts on a byte boundary with its DC predictions at zero
// (E.1.4, F.1.2.3), and the markers between them count modulo 8. So intervals encoded as images of
// their own, with the same tables, can be joined without decoding anything.

const SOF0 = 0xc0
const RST0 = 0xd0
const SOI = 0xd8
const EOI = 0xd9
const SOS = 0xda
const DRI = 0xdd
const APP0 = 0xe0
const APP15 = 0xef
const COM = 0xfe

export interface Segment {
  readonly marker: number
  /** Of the 0xFF that starts the marker. */
  readonly start: number
  /** Past the segment's last byte. */
  readonly end: number
}

/** A baseline JPEG taken apart: all before the SOS segment, that segment, what follows it up to EOI. */
export interface JpegParts {
  readonly head: Buffer
  readonly scanHeader: Buffer
  readonly scan: Buffer
}

/** Takes a JPEG of one baseline scan apart, as sharp makes it; throws where it is something else. */
export function parseJpeg (jpeg: Buffer): JpegParts {
  const segments = jpegSegments(jpeg)
  const sos = segments?.at(-1)
  const hasEnd = jpeg[jpeg.length - 2] === 0xff && jpeg[jpeg.length - 1] === EOI
  const isBaseline = segments?.some(({ marker }) => marker === SOF0) ?? false
  if (sos === undefined || !hasEnd || !isBaseline) {
    throw new Error('sharp gave something else than a baseline JPEG')
  }
  return {
    head: jpeg.subarray(0, sos.start),
    scanHeader: jpeg.subarray(sos.start, sos.end),
    scan: jpeg.subarray(sos.end, jpeg.length - 2)
  }
}

/**
 * The head of a taller image that starts like `parts`: the same tables, another height, and a
 * restart interval of `intervalUnits` coded units (16 x 16 pixels at 4:2:0).
 */
export function formatHead (
  parts: JpegParts, { height, intervalUnits }: { readonly height: number, readonly intervalUnits: number }
): Buffer {
  const head = Buffer.from(parts.head)
  const sof = jpegSegments(Buffer.concat([head, parts.scanHeader]))?.find(({ marker }) => marker === SOF0)
  if (sof === undefined) throw new Error('a JPEG without a frame header')
  head.writeUInt16BE(height, sof.start + 5) // marker, length, precision, then the number of lines (B.2.2)
  const restart = segment(DRI, Buffer.of(intervalUnits >> 8, intervalUnits & 0xff))
  return Buffer.concat([head, restart, parts.scanHeader])
}

/** All intervals but the first, each behind its restart marker, and the end of the image. */
export function formatRest (scans: readonly Buffer[]): Buffer {
  return Buffer.concat([
    ...scans.flatMap((scan, index) => [Buffer.of(0xff, RST0 + index % 8), scan]),
    Buffer.of(0xff, EOI)
  ])
}

/** Where a comment may stand: behind the application segments, which JFIF and Exif want first. */
export function commentOffset (jpeg: Buffer): number | undefined {
  const segments = jpegSegments(jpeg)
  if (segments === undefined) return undefined
  let offset = 2
  for (const { marker, end } of segments) {
    if (marker < APP0 || marker > APP15) break
    offset = end
  }
  return offset
}

/** A comment segment, which every decoder skips (B.2.4.5). */
export function formatComment (text: string): Buffer {
  return segment(COM, Buffer.from(text, 'latin1'))
}

function segment (marker: number, content: Buffer): Buffer {
  const length = content.length + 2
  return Buffer.concat([Buffer.of(0xff, marker, length >> 8, length & 0xff), content])
}

/** From SOI to SOS, inclusive; undefined where the bytes are no JPEG or end before its scan. */
export function jpegSegments (jpeg: Buffer): readonly Segment[] | undefined {
  if (jpeg[0] !== 0xff || jpeg[1] !== SOI) return undefined
  const segments: Segment[] = []
  let start = 2
  while (start + 4 <= jpeg.length && jpeg[start] === 0xff) {
    if (jpeg[start + 1] === 0xff) { // a fill byte (B.1.1.2)
      start++
      continue
    }
    const marker = jpeg[start + 1] ?? 0
    const end = start + 2 + jpeg.readUInt16BE(start + 2)
    if (end > jpeg.length) return undefined
    segments.push({ marker, start, end })
    if (marker === SOS) return segments
    start = end
  }
  return undefined
}
