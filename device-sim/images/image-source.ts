import type { Mark } from './mark.ts'

/** Makes the image of a capture; the same capture gives the same bytes, so that a resend is a resend. */
export interface ImageSource {
  /** For people: what the images are. */
  readonly about: string
  /** A whole file of its format, unlike every other; `deviceIndex` picks the motif. */
  render (mark: Mark, deviceIndex: number): Buffer
}
