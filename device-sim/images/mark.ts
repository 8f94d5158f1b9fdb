// Every image carries its own name inside, in a JPEG comment or a PNG text chunk, whatever topic or
// key it travels under:
//
//   device-sim run=<8 hex digits> device=<deviceId> number=<n> at=<RFC 3339, UTC>
//
// It makes the bytes of every image differ from those of every other, of this run and of any other
// run, and lets a judge tell an image of another run from a damaged one of this run.

import type { DeviceId, ImageId } from '../../broker/topics.ts'

/** One press of one device's shutter. */
export interface Mark {
  /** Eight hex digits, another in every run. */
  readonly run: string
  readonly deviceId: DeviceId
  /** Counts the captures of one device, from 1. */
  readonly number: number
  /** The planned time of capture, ms since epoch. */
  readonly capturedAt: number
}

/** A device id has 64 characters, a time 24. */
const MARK_BYTES_MAX = 160

export function formatMark ({ run, deviceId, number, capturedAt }: Mark): string {
  return `device-sim run=${run} device=${deviceId} number=${number} at=${new Date(capturedAt).toISOString()}`
}

/** What the first mark in `bytes` says; undefined where there is none. */
export function parseMark (
  bytes: Buffer
): { readonly run: string, readonly device: string, readonly imageId: string } | undefined {
  const at = bytes.indexOf('device-sim run=')
  if (at < 0) return undefined
  const text = bytes.toString('latin1', at, at + MARK_BYTES_MAX)
  const match = /^device-sim run=([0-9a-f]{8}) device=([^ ]+) number=(\d+) /.exec(text)
  if (match === null) return undefined
  const [, run = '', device = '', number = ''] = match
  return { run, device, imageId: formatImageName({ run, number: Number(number) }) }
}

// The run is part of the name: a device that counts from 1 again must not reuse one, or a receiver
// that knows the old name takes the new image for a repeat.
export function formatImageName ({ run, number }: Pick<Mark, 'run' | 'number'>): ImageId {
  return `${run}-${String(number).padStart(6, '0')}` as ImageId // 15 of the alphabet's characters
}

/** A name made by formatImageName, wherever it stands in `text`, and the run in it. */
export function parseNamedRun (text: string): { readonly run: string, readonly imageId: string } | undefined {
  const match = /(?:^|[^A-Za-z0-9])(([0-9a-f]{8})-\d{6,})(?:$|[^A-Za-z0-9])/.exec(text)
  return match === null ? undefined : { run: match[2] ?? '', imageId: match[1] ?? '' }
}
