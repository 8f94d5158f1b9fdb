import type { Bucket, Listed } from './bucket.ts'
import { parseMarkedRun, parseNamedRun } from './mark.ts'
import type { Evidence } from './report.ts'

/** What one object is to a run. */
export type Judgement =
  /** Byte for byte an image that was sent. */
  | { readonly kind: 'sent', readonly sha256: string }
  /** It belongs to the run, and its bytes are those of nothing that was sent. */
  | { readonly kind: 'corrupted' }
  | { readonly kind: 'foreign' }

/** What to look for in a bucket. */
export interface Wanted {
  readonly run: string
  readonly devices: ReadonlySet<string>
  readonly startedAt: number
  /** SHA-256 of all that was sent, PUBACKed or not. */
  readonly sent: ReadonlySet<string>
  /** The sizes that occur among them. */
  readonly sizes: ReadonlySet<number>
}

// SigV4 refuses a clock that is off by more than 15 minutes (S3: RequestTimeTooSkewed), so no store
// that took a signature dates an object of the run earlier than this.
const SKEW_MS_MAX = 15 * 60_000

export function listWanted ({ run, devices, startedAt, acknowledged, unacknowledged }: Evidence): Wanted {
  return {
    run,
    devices,
    startedAt,
    sent: new Set([...acknowledged.map(({ sha256 }) => sha256), ...unacknowledged.keys()]),
    sizes: new Set([...acknowledged.map(({ bytes }) => bytes), ...unacknowledged.values()])
  }
}

/** Reads what can be an image of the run: nothing of what is older, the head of what has another size. */
export async function judge (bucket: Bucket, object: Listed, { wanted, signal }: {
  readonly wanted: Wanted
  readonly signal: AbortSignal
}): Promise<Judgement> {
  const { key, bytes, modifiedAt } = object
  if (modifiedAt < wanted.startedAt - SKEW_MS_MAX) return { kind: 'foreign' }
  if (!wanted.sizes.has(bytes)) {
    const { head, metadata } = await bucket.peek(object, signal)
    return { kind: belongs(wanted, { key, metadata, head }) ? 'corrupted' : 'foreign' }
  }
  const { sha256, head, metadata } = await bucket.read(object, signal)
  if (wanted.sent.has(sha256)) return { kind: 'sent', sha256 }
  return { kind: belongs(wanted, { key, metadata, head }) ? 'corrupted' : 'foreign' }
}

interface Claims {
  readonly key: string
  readonly metadata: Readonly<Record<string, string>>
  readonly head: Buffer
}

// Devices keep their ids from run to run, so a run named by the object, its key or its bytes has the
// last word; only what names none is told by its device.
function belongs ({ run, devices }: Wanted, { key, metadata, head }: Claims): boolean {
  const named = parseNamedRun(metadata['image-id'] ?? '') ?? parseNamedRun(key) ?? parseMarkedRun(head)
  if (named !== undefined) return named === run
  return devices.has(metadata['device-id'] ?? '') || key.split('/').some((part) => devices.has(part))
}
