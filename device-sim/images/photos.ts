// Real photos as images. Each copy is made unique by a mark that decoders skip: a comment segment in
// a JPEG (T.81 B.2.4.5), a tEXt chunk in a PNG (PNG specification, 11.3.4.3). The picture is untouched.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { SimulatorError } from '../errors.ts'
import { createImageSource, type ImageSource } from './image-source.ts'
import { commentOffset, formatComment } from './jpeg.ts'
import { formatMark, type Mark } from './mark.ts'

/** All photos are kept in memory. */
const BYTES_MAX = 256 * 1024 * 1024

const ADVICE = 'name another folder with --images, or leave it out for generated scenes'

const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')
/** Past the signature and the IHDR chunk, which is the first and of one length (PNG 11.2.2). */
const PNG_HEAD_BYTES = 33

interface Photo {
  readonly before: Buffer
  readonly after: Buffer
  readonly wrap: (text: string) => Buffer
}

/** The JPEG and PNG files of a directory, in the order of their names. */
export async function readPhotos (directory: string): Promise<ImageSource> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((cause: unknown) => {
    throw new SimulatorError('USAGE', `the images in ${directory} cannot be read: ${String(cause)}; ${ADVICE}`)
  })
  const photos: Photo[] = []
  let bytes = 0
  const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name)
  for (const name of names.filter((each) => /\.(jpe?g|png)$/i.test(each)).sort()) {
    const path = join(directory, name)
    const file = await readFile(path).catch((cause: unknown) => {
      throw new SimulatorError('USAGE', `${path} cannot be read: ${String(cause)}; take it away, or ${ADVICE}`)
    })
    const photo = openPhoto(file)
    if (photo === undefined) throw new SimulatorError('USAGE', `${path} is neither a JPEG nor a PNG`)
    bytes += file.length
    if (bytes > BYTES_MAX) {
      throw new SimulatorError('USAGE', `the images in ${directory} come to more than ${BYTES_MAX} bytes`)
    }
    photos.push(photo)
  }
  if (photos.length === 0) {
    throw new SimulatorError('USAGE', `there is no .jpg, .jpeg or .png in ${directory}; ${ADVICE}`)
  }
  return createImageSource(`${photos.length} photos of ${directory}, each copy with a comment of its own`,
    (mark, deviceIndex) => copyWith(photos[(deviceIndex + mark.number) % photos.length], mark))
}

function openPhoto (file: Buffer): Photo | undefined {
  const split = (at: number, wrap: Photo['wrap']): Photo =>
    ({ before: file.subarray(0, at), after: file.subarray(at), wrap })
  const offset = commentOffset(file)
  if (offset !== undefined) return split(offset, formatComment)
  const isPng = file.length > PNG_HEAD_BYTES && file.subarray(0, PNG_SIGNATURE.length).equals(PNG_SIGNATURE)
  return isPng ? split(PNG_HEAD_BYTES, formatTextChunk) : undefined
}

function copyWith (photo: Photo | undefined, mark: Mark): readonly Buffer[] {
  if (photo === undefined) throw new Error('no photo to copy')
  return [photo.before, photo.wrap(formatMark(mark)), photo.after]
}

// Length of the data, type, data, and the CRC of type and data (PNG 5.3).
function formatTextChunk (text: string): Buffer {
  const content = Buffer.from(`tEXtComment\0${text}`, 'latin1')
  const chunk = Buffer.alloc(content.length + 8)
  chunk.writeUInt32BE(content.length - 4, 0)
  content.copy(chunk, 4)
  chunk.writeUInt32BE(crc32(content), content.length + 4)
  return chunk
}
