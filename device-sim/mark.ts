// Every image carries its own name inside, in a JPEG comment or a PNG text chunk, whatever topic or
// key it travels under:
//
//   device-sim run=<8 hex digits> device=<deviceId> number=<n> at=<RFC 3339, UTC>
//
// It makes the bytes of every image differ from those of every other, of this run and of any other
// run, and lets a judge tell an image of another run from a damaged one of this run.

import type { DeviceId, ImageId } from '../broker/topics.ts'

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

export function formatMark ({ run, deviceId, number, capturedAt }: Mark): string {
  return `device-sim run=${run} device=${deviceId} number=${number} at=${new Date(capturedAt).toISOString()}`
}

/** The run named by the first mark in `bytes`; undefined where there is none. */
export function parseMarkedRun (bytes: Buffer): string | undefined {
  const at = bytes.indexOf('device-sim run=')
  if (at < 0) return undefined
  return /^device-sim run=([0-9a-f]{8}) /.exec(bytes.toString('latin1', at, at + 24))?.[1]
}

// The run is part of the name: a device that counts from 1 again must not reuse one, or a receiver
// that knows the old name takes the new image for a repeat.
export function formatImageName ({ run, number }: Mark): ImageId {
  return `${run}-${String(number).padStart(6, '0')}` as ImageId // 15 of the alphabet's characters
}

/** The run in a name made by formatImageName, wherever it stands in `text`. */
export function parseNamedRun (text: string): string | undefined {
  return /(?:^|[^A-Za-z0-9])([0-9a-f]{8})-\d{6,}(?:$|[^A-Za-z0-9])/.exec(text)?.[1]
}
