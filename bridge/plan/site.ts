// A site on paper: how many images come, and what may go out.

import { constantPace, scaledPace, type PaceAt } from './pace.ts'

export interface Site {
  readonly devices: number
  /** From one image of a device to its next. */
  readonly intervalSeconds: number
  readonly imageBytes: number
  /** Of each day, 0 to 24, from this hour on. */
  readonly captureHours: number
  readonly captureFromHour: number
  readonly capacityBitsPerSecond: number
  /** 0 to 1. */
  readonly share: number
  /** 0 to 1. */
  readonly overhead: number
  /** What the spool may hold. */
  readonly spoolBytes: number
  readonly outageSeconds: number
  /** From acceptance to upload (slo.target). */
  readonly targetSeconds: number
  /** The midnight with which the plan begins, ms since epoch. */
  readonly startAt: number
  /** A timetable: bytes per second on the wire, its overhead taken off. Undefined: capacity x share at all times. */
  readonly allowanceAt: PaceAt | undefined
}

/** One way to reckon the line: what an image costs on it, and what it carries. */
export interface Line {
  /** One image, on the wire. */
  readonly wireBytes: number
  readonly outAt: PaceAt
}

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/**
 * Of the allowance, what is given out: a window kept at exactly 100 % would be over it with the next stall
 * (uplink/allowance.ts).
 */
export const GIVEN_OUT = 0.99

/**
 * Request line and headers of one put: measured at the sockets with names of usual length and no metadata of the
 * device's own, which would come on top of it.
 */
const PUT_BYTES = 1_245
/** TLS, as it is charged (objects/paced-agent.ts). */
const RECORD_BYTES = 29
const RECORD_PLAINTEXT_BYTES = 16_384

/** Bytes on the wire for one image, retries left out. */
export function wireBytes (imageBytes: number): number {
  return imageBytes + PUT_BYTES + Math.ceil(imageBytes / RECORD_PLAINTEXT_BYTES) * RECORD_BYTES
}

/** Capacity x share, and bytes of images: what one reckons on the back of an envelope. */
export function plainLine (site: Site): Line {
  return { wireBytes: site.imageBytes, outAt: scaledPace(allowanceOf(site), 1 / (1 - site.overhead)) }
}

/** What the service does: the overhead is taken off, not quite all of the rest is given out, and headers cost. */
export function servedLine (site: Site): Line {
  return { wireBytes: wireBytes(site.imageBytes), outAt: scaledPace(allowanceOf(site), GIVEN_OUT) }
}

function allowanceOf ({ allowanceAt, capacityBitsPerSecond, share, overhead }: Site): PaceAt {
  return allowanceAt ?? constantPace(capacityBitsPerSecond / 8 * share * (1 - overhead))
}

/** While images are taken. */
export function imagesPerSecond ({ devices, intervalSeconds }: Site): number {
  return devices / intervalSeconds
}

/** What comes in, as bytes on this line. */
export function inflow (site: Site, line: Line): PaceAt {
  const bytesPerSecond = imagesPerSecond(site) * line.wireBytes
  const { captureHours, captureFromHour, startAt } = site
  if (captureHours >= 24) return constantPace(bytesPerSecond)
  const captureMs = captureHours * HOUR_MS
  return (ms) => {
    const sinceFrom = modulo(ms - startAt - captureFromHour * HOUR_MS, DAY_MS)
    const isOn = sinceFrom < captureMs
    return { bytesPerSecond: isOn ? bytesPerSecond : 0, until: ms + (isOn ? captureMs : DAY_MS) - sinceFrom }
  }
}

/** When capture begins on the first day. */
export function captureStart ({ startAt, captureFromHour }: Site): number {
  return startAt + captureFromHour * HOUR_MS
}

function modulo (value: number, by: number): number {
  return ((value % by) + by) % by
}
