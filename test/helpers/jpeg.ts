import { randomBytes } from 'node:crypto'

/** A JPEG by its first and last bytes, and unlike any other; what is between is noise. */
export function jpegOf (bytes: number): Buffer {
  const image = randomBytes(bytes)
  image.set([0xff, 0xd8, 0xff, 0xe0])
  image.set([0xff, 0xd9], bytes - 2)
  return image
}
