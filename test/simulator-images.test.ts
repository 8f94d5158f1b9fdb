import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import sharp from 'sharp'
import type { DeviceId } from '../broker/topics.ts'
import { GLYPH_COLUMNS, GLYPH_ROWS, isInked } from '../device-sim/images/font.ts'
import { formatMark, parseMark, type Mark } from '../device-sim/images/mark.ts'
import { readPhotos } from '../device-sim/images/photos.ts'
import { paintScenes } from '../device-sim/images/scenes.ts'

const photos = join(import.meta.dirname, '../../shared/photos')
const noPhotos = await readdir(photos).then(() => false, () => 'there are no photos in ../shared/photos')

for (const size of [20_000, 60_000, 250_000]) {
  test(`a generated image of ${size} bytes decodes without a warning and is of that size within 15 %`, async () => {
    const source = await paintScenes({ size, devices: 3, seed: 1 })
    for (const index of [0, 1, 2, 300]) {
      const image = source.render(take({ number: index + 1 }), index)
      const { width, height, format } = await sharp(image).metadata()
      const pixels = await decode(image)
      assert.equal(format, 'jpeg')
      assert.equal(pixels.length, width * height * 3)
      assert.ok(Math.abs(image.length - size) <= size * 0.15, `${image.length} bytes`)
    }
  })
}

test('a generated image shows its device, its number and the time of its capture', async () => {
  const capturedAt = Date.UTC(2031, 1, 3, 4, 5, 6, 789)
  const mark = take({ deviceId: 'Cam_7~a.b' as DeviceId, number: 1234, capturedAt })
  for (const { size, dot } of [{ size: 60_000, dot: 2 }, { size: 250_000, dot: 4 }]) {
    const image = (await paintScenes({ size, devices: 1, seed: 1 })).render(mark, 0)
    assert.equal(await readLine(image, { line: 0, dot, length: 17 }), 'Cam_7~a.b #001234')
    assert.equal(await readLine(image, { line: 1, dot, length: 24 }), '2031-02-03 04:05:06.789Z')
  }
})

test('a device id too long for the picture shows its end', async () => {
  const deviceId = `${'x'.repeat(56)}-camera7` as DeviceId
  const image = (await paintScenes({ size: 20_000, devices: 1, seed: 1 })).render(take({ deviceId }), 0)
  assert.equal(await readLine(image, { line: 0, dot: 2, length: 24 }), '~xxxxxxx-camera7 #000001')
})

test('no two images are alike, and the same capture gives the same image again', async () => {
  const source = await paintScenes({ size: 20_000, devices: 2, seed: 1 })
  const marks = [take({}), take({ number: 2 }), take({ run: 'ffffffff' }), take({ deviceId: 'sim-0002' as DeviceId })]
  const images = new Set(marks.map((mark) => source.render(mark, 0).toString('latin1')))
  assert.equal(images.size, marks.length)
  assert.deepEqual(source.render(take({}), 0), source.render(take({}), 0))
})

test('images of one scene share its bytes, and are the parts of a whole file', async () => {
  const source = await paintScenes({ size: 60_000, devices: 1, seed: 1 })
  const [one, other] = [1, 2].map((number) => source.parts(take({ number }), 0))
  assert.equal(one?.at(-1), other?.at(-1))
  assert.ok((one?.at(-1)?.length ?? 0) > 45_000)
  assert.deepEqual(Buffer.concat(one ?? []), source.render(take({ number: 1 }), 0))
})

test('scenes differ by device, and the same seed paints the same ones', async () => {
  const first = await paintScenes({ size: 20_000, devices: 3, seed: 5 })
  const again = await paintScenes({ size: 20_000, devices: 3, seed: 5 })
  const scenes = new Set([0, 1, 2].map((index) => first.render(take({}), index).toString('latin1')))
  assert.equal(scenes.size, 3)
  assert.deepEqual(first.render(take({}), 2), again.render(take({}), 2))
})

test('a real photo stays the same picture in every copy, and no two copies are alike', { skip: noPhotos }, async () => {
  const source = await readPhotos(photos)
  const copies = new Set<string>()
  for (let number = 1; number <= 8; number++) {
    const copy = source.render(take({ number }), 0)
    copies.add(copy.toString('latin1'))
    assert.equal(parseMark(copy)?.run, '0123abcd')
    assert.equal((await decode(copy)).equals(await decode(withoutMark(copy, take({ number })))), true)
  }
  const same = [source.render(take({ number: 9 }), 0), source.render(take({ number: 17 }), 0)]
  assert.equal(copies.size, 8)
  assert.notDeepEqual(same[0], same[1])
})

test('a PNG stays the same picture in every copy', async (t) => {
  const directory = await makeDirectory(t)
  const png = await sharp({ create: { width: 40, height: 30, channels: 3, background: '#369' } }).png().toBuffer()
  await writeFile(join(directory, 'blue.PNG'), png)
  const source = await readPhotos(directory)
  const copy = source.render(take({}), 0)
  assert.deepEqual(await decode(copy), await decode(png))
  assert.equal((await sharp(copy).metadata()).comments?.[0]?.text, formatMark(take({})))
  assert.notDeepEqual(copy, source.render(take({ number: 2 }), 0))
})

test('a directory without images, or with a broken one, is refused in a sentence', async (t) => {
  const directory = await makeDirectory(t)
  await assert.rejects(readPhotos(join(directory, 'none')), { code: 'USAGE', message: /none cannot be read/ })
  await assert.rejects(readPhotos(directory), { code: 'USAGE', message: /^there is no \.jpg, \.jpeg or \.png in/ })
  await writeFile(join(directory, 'broken.jpg'), Buffer.from('ffd8ffe000', 'hex'))
  await assert.rejects(readPhotos(directory), { code: 'USAGE', message: /broken\.jpg is neither a JPEG nor a PNG$/ })
})

const DOTS = Array.from({ length: GLYPH_COLUMNS * GLYPH_ROWS }, (_, n) =>
  ({ column: n % GLYPH_COLUMNS, row: Math.floor(n / GLYPH_COLUMNS) }))

function take (mark: Partial<Mark>): Mark {
  return { run: '0123abcd', deviceId: 'sim-0001' as DeviceId, number: 1, capturedAt: 1_790_000_000_000, ...mark }
}

async function decode (image: Buffer): Promise<Buffer> {
  return await sharp(image, { failOn: 'warning' }).removeAlpha().raw().toBuffer()
}

function withoutMark (copy: Buffer, mark: Mark): Buffer {
  const text = formatMark(mark)
  const at = copy.indexOf(text)
  const start = at - 4 // FF FE, then two bytes of length
  return Buffer.concat([copy.subarray(0, start), copy.subarray(at + text.length)])
}

// Reads a label back from the decoded picture, dot by dot. A character's field is 8 x 8 dots, its glyph
// one dot from the left and half a dot from the top.
async function readLine (
  image: Buffer, { line, dot, length }: { line: number, dot: number, length: number }
): Promise<string> {
  const { data, info } = await sharp(image).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const isLight = (x: number, y: number): boolean => (data[(y * info.width + x) * 3] ?? 0) > 128
  const alphabet = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index))
  const shows = (character: string, at: number): boolean =>
    DOTS.every(({ column, row }) => isInked(character, column, row) ===
      isLight((at * 8 + column + 1.5) * dot, (line * 8 + row + 1) * dot))
  return Array.from({ length }, (_, at) => alphabet.find((character) => shows(character, at)) ?? '?').join('')
}

async function makeDirectory (t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'simulator-'))
  t.after(() => rm(directory, { recursive: true }))
  return directory
}
