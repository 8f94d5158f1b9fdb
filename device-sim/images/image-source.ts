import type { Mark } from './mark.ts'

/** Makes the image of a capture; the same capture gives the same bytes, so that a resend is a resend. */
export interface ImageSource {
  /** For people: what the images are. */
  readonly about: string
  /**
   * A whole file of its format, unlike every other, in parts. The large ones are shared by many images and not
   * copied, or a thousand images of one moment are a thousand large buffers to collect.
   */
  parts (mark: Mark, deviceIndex: number): readonly Buffer[]
  /** The same in one piece; `deviceIndex` picks the motif. */
  render (mark: Mark, deviceIndex: number): Buffer
}

export function createImageSource (about: string, parts: ImageSource['parts']): ImageSource {
  return { about, parts, render: (mark, deviceIndex) => Buffer.concat(parts(mark, deviceIndex)) }
}
