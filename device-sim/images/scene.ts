import sharp from 'sharp'
import { LABEL_WIDTH_MIN, labelHeight, UNIT } from './label.ts'
import type { Random } from '../random.ts'

/** Pixels; the width is a multiple of UNIT, the height one of the label's. */
export interface Canvas {
  readonly width: number
  readonly height: number
}

/** RGB, three bytes a pixel. */
export type Pixels = Buffer

// About what a camera spends on a pixel at this quality; the texture makes up the difference.
const BITS_PER_PIXEL = 2

export function canvasFor (bytes: number): Canvas {
  const wanted = Math.sqrt(bytes * 8 / BITS_PER_PIXEL * 4 / 3)
  const width = Math.max(LABEL_WIDTH_MIN, Math.round(wanted / UNIT) * UNIT)
  const band = labelHeight(width)
  return { width, height: Math.round(width * 3 / 4 / band) * band }
}

/** A landscape: a sky, the sun, two rows of hills, the ground, a few houses and trees; no two alike. */
export async function paintScene (canvas: Canvas, random: Random): Promise<Pixels> {
  return await sharp(Buffer.from(drawScene(canvas, random))).removeAlpha().raw().toBuffer()
}

/** One plane of grain, -128 to 127, as dense as the canvas. */
export function createGrain ({ width, height }: Canvas, random: Random): Int8Array {
  const grain = new Int8Array(width * height)
  for (let at = 0; at < grain.length; at++) grain[at] = (random() + random() - 1) * 128
  return grain
}

/** Grain is what gives a drawn scene the bytes of a photo. `shift` lays it differently on each scene. */
export function addGrain (
  pixels: Pixels, grain: Int8Array, { strength, shift }: { readonly strength: number, readonly shift: number }
): Pixels {
  const grained = new Uint8ClampedArray(pixels.length)
  for (let at = 0, from = shift % grain.length; at < pixels.length; at += 3) {
    const speck = (grain[from] ?? 0) * strength
    grained[at] = (pixels[at] ?? 0) + speck
    grained[at + 1] = (pixels[at + 1] ?? 0) + speck
    grained[at + 2] = (pixels[at + 2] ?? 0) + speck
    if (++from === grain.length) from = 0
  }
  return Buffer.from(grained.buffer)
}

function drawScene ({ width, height }: Canvas, random: Random): string {
  const between = (low: number, high: number): number => low + random() * (high - low)
  const hue = between(0, 360)
  const horizon = height * between(0.5, 0.7)
  const sky = [`hsl(${between(195, 225)}, 60%, ${between(45, 65)}%)`, `hsl(${between(20, 210)}, 60%, 85%)`]
  const hills = [0.75, 0.9].map((nearness) => hill(
    { width, horizon, height: height * 0.2 * nearness }, random,
    `hsl(${between(90, 220)}, ${20 + 20 * nearness}%, ${70 - 30 * nearness}%)`))
  const sunX = between(0.1, 0.9) * width
  const sunY = between(0.15, 0.4) * height
  const grass = `hsl(${between(60, 130)}, 40%, ${between(30, 45)}%)`
  const things = Array.from({ length: 4 + Math.floor(random() * 6) }, () => {
    const [x, y] = [between(0, width), between(horizon, height * 0.95)]
    const size = height * between(0.06, 0.16)
    return random() < 0.5
      ? house({ x, y, size }, (hue + between(-40, 40) + 360) % 360)
      : tree({ x, y, size }, between(80, 150))
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
    '<defs><linearGradient id="sky" x2="0" y2="1">' +
    `<stop stop-color="${sky[0]}"/><stop offset="1" stop-color="${sky[1]}"/></linearGradient></defs>` +
    `<rect width="${width}" height="${height}" fill="url(#sky)"/>` +
    `<circle cx="${sunX}" cy="${sunY}" r="${height * 0.05}" fill="#fff6d0"/>` +
    `${hills.join('')}<rect y="${horizon}" width="${width}" height="${height}" fill="${grass}"/>` +
    `${things.join('')}</svg>`
}

interface Ridge {
  readonly width: number
  readonly horizon: number
  readonly height: number
}

function hill ({ width, horizon, height }: Ridge, random: Random, colour: string): string {
  const tops = Array.from({ length: 9 }, (_, index) => `${width * index / 8},${horizon - height * random()}`)
  return `<polygon points="0,${horizon} ${tops.join(' ')} ${width},${horizon}" fill="${colour}"/>`
}

interface Foot {
  readonly x: number
  readonly y: number
  readonly size: number
}

function house ({ x, y, size }: Foot, hue: number): string {
  const eaves = y - size
  const roof = [[x - size * 0.1, eaves], [x + size * 0.65, eaves - size * 0.6], [x + size * 1.4, eaves]]
  const door = { width: size * 0.3, height: size * 0.5 }
  return `<rect x="${x}" y="${eaves}" width="${size * 1.3}" height="${size}" fill="hsl(${hue}, 45%, 70%)"/>` +
    `<polygon points="${roof.join(' ')}" fill="hsl(${hue}, 50%, 35%)"/>` +
    `<rect x="${x + size * 0.5}" y="${y - door.height}" width="${door.width}" height="${door.height}" ` +
    `fill="hsl(${hue}, 50%, 25%)"/>`
}

function tree ({ x, y, size }: Foot, hue: number): string {
  const trunk = { width: size * 0.16, height: size * 0.6 }
  return `<rect x="${x - trunk.width / 2}" y="${y - trunk.height}" width="${trunk.width}" ` +
    `height="${trunk.height}" fill="#6b4a2f"/>` +
    `<circle cx="${x}" cy="${y - size}" r="${size * 0.5}" fill="hsl(${hue}, 45%, 30%)"/>`
}
