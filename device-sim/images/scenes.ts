// Pictures made ahead, and a label written into each one as it is taken. A scene is encoded once, as
// restart intervals of the label's height (jpeg.ts); a picture is its scene with the first interval
// replaced by a label of its own (label.ts). So every image is a whole valid JPEG that shows its
// device, number and time, and costs no copy of its scene.

import sharp from 'sharp'
import type { DeviceId } from '../../broker/topics.ts'
import { readTables } from './coded-unit.ts'
import { createImageSource, type ImageSource } from './image-source.ts'
import { commentOffset, formatComment, formatHead, formatRest, parseJpeg } from './jpeg.ts'
import { labelHeight, Labels, UNIT } from './label.ts'
import { formatMark, type Mark } from './mark.ts'
import { createRandom } from '../random.ts'
import { addGrain, canvasFor, createGrain, paintScene, type Canvas, type Pixels } from './scene.ts'

export interface SceneOptions {
  /** Of one image, in bytes. */
  readonly size: number
  readonly devices: number
  readonly seed: number
}

/** Below this the label leaves no room for a picture. */
export const SIZE_MIN = 15_000
export const SIZE_MAX = 16_000_000

const SCENES_MAX = 32
const SCENE_PIXELS_MAX = 40_000_000

// Standard Huffman tables (no optimiseCoding) and one quality: what is joined must share its tables.
const JPEG = { quality: 80, chromaSubsampling: '4:2:0', optimiseCoding: false, progressive: false } as const
const SIZE_TOLERANCE = 0.05
const STRENGTH_FIRST = 0.2
const STRENGTH_MAX = 1.5
const FIT_ROUNDS_MAX = 10
const SAMPLE: Mark = { run: '00000000', deviceId: 'sim-0000' as DeviceId, number: 1, capturedAt: 0 }

/** Pictures of about `size` bytes: a scene for each device, shared where there are more devices. */
export async function paintScenes ({ size, devices, seed }: SceneOptions): Promise<ImageSource> {
  const canvas = canvasFor(size)
  const random = createRandom(seed)
  const grain = createGrain(canvas, random)
  const frame = await readFrame(canvas)
  const scenes: Buffer[] = []
  let strength = STRENGTH_FIRST
  for (let count = sceneCount(devices, canvas); count > 0; count--) {
    const pixels = await paintScene(canvas, random)
    const shift = Math.floor(random() * grain.length)
    const scene = await fitScene(async (tried) =>
      await encodeScene(addGrain(pixels, grain, { strength: tried, shift }), canvas),
    { size: size - frame.bytes, strength })
    strength = scene.strength
    scenes.push(scene.encoded)
  }
  return createImageSource(`generated ${canvas.width} x ${canvas.height} JPEGs of about ${size} bytes, each with its label`,
    (mark, deviceIndex) => assemble(frame, mark, scenes[deviceIndex % scenes.length]))
}

function sceneCount (devices: number, { width, height }: Canvas): number {
  return Math.max(1, Math.min(devices, SCENES_MAX, Math.floor(SCENE_PIXELS_MAX / (width * height))))
}

/** What all pictures of one size share. */
interface Frame {
  readonly head: Buffer
  /** Where the comment goes into the head. */
  readonly commentAt: number
  readonly labels: Labels
  /** What head, comment and label come to, about. */
  readonly bytes: number
}

function assemble ({ head, commentAt, labels }: Frame, mark: Mark, scene: Buffer | undefined): readonly Buffer[] {
  if (scene === undefined) throw new Error('no scene was painted')
  const comment = formatComment(formatMark(mark))
  const label = labels.code(mark)
  return [Buffer.concat([head.subarray(0, commentAt), comment, head.subarray(commentAt), label]), scene]
}

async function readFrame ({ width, height }: Canvas): Promise<Frame> {
  const band = labelHeight(width)
  const blank = await encode(Buffer.alloc(width * band * 3), { width, height: band })
  const head = formatHead(parseJpeg(blank), { height, intervalUnits: width / UNIT * band / UNIT })
  const labels = new Labels(readTables(blank), width)
  const bytes = head.length + labels.code(SAMPLE).length
  return { head, commentAt: commentOffset(head) ?? 2, labels, bytes }
}

async function encodeScene (pixels: Pixels, { width, height }: Canvas): Promise<Buffer> {
  const band = labelHeight(width)
  const bandBytes = width * band * 3
  const encodings = Array.from({ length: height / band - 1 }, async (_, index) =>
    await encode(pixels.subarray((index + 1) * bandBytes, (index + 2) * bandBytes), { width, height: band }))
  return formatRest((await Promise.all(encodings)).map((interval) => parseJpeg(interval).scan))
}

async function encode (pixels: Pixels, { width, height }: Canvas): Promise<Buffer> {
  return await sharp(pixels, { raw: { width, height, channels: 3 } }).jpeg(JPEG).toBuffer()
}

// Bytes grow with the grain, so halving the interval finds the strength; the last scene's strength is
// nearly always right for the next one.
async function fitScene (
  encodeAt: (strength: number) => Promise<Buffer>, { size, strength }: { size: number, strength: number }
): Promise<{ readonly encoded: Buffer, readonly strength: number }> {
  let low = 0
  let high = STRENGTH_MAX
  let tried = strength
  for (let round = 1; ; round++) {
    const encoded = await encodeAt(tried)
    const isClose = Math.abs(encoded.length - size) <= size * SIZE_TOLERANCE
    if (isClose || round === FIT_ROUNDS_MAX) return { encoded, strength: tried }
    if (encoded.length < size) low = tried
    else high = tried
    tried = (low + high) / 2
  }
}
