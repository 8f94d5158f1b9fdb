import type { Bucket, Listed } from './bucket.ts'
import { parseMark, parseNamedRun } from '../images/mark.ts'
import type { SentImage } from '../devices/events.ts'
import type { Evidence } from '../report/report.ts'

/** What one object is to a run. */
export type Judgement =
  /** Byte for byte an image that was sent. */
  | { readonly kind: 'sent', readonly sha256: string }
  /** Byte for byte one image that was sent, under the name of another. */
  | { readonly kind: 'misnamed', readonly sha256: string }
  /** It goes by the name of an image that was sent, or by no name but that of the run, and its bytes are others. */
  | { readonly kind: 'corrupted', readonly image: SentImage | undefined }
  /** It goes by the name of an image that this run never sent. */
  | { readonly kind: 'unknown' }
  /** It has nothing to do with the run. */
  | { readonly kind: 'foreign' }

/** What to look for in a bucket. */
export interface Wanted {
  readonly run: string
  readonly startedAt: number
  /** All that was sent, PUBACKed or not, by SHA-256. */
  readonly sent: ReadonlyMap<string, SentImage>
  /** The same by name; several devices may each have an image of the same name. */
  readonly named: ReadonlyMap<string, readonly SentImage[]>
  readonly devices: ReadonlySet<string>
  /** The sizes that occur among them. */
  readonly sizes: ReadonlySet<number>
}

// SigV4 refuses a clock that is off by more than 15 minutes (S3: RequestTimeTooSkewed), so no store
// that took a signature dates an object of the run earlier than this.
const SKEW_MS_MAX = 15 * 60_000

export function listWanted ({ run, startedAt, acknowledged, unacknowledged }: Evidence): Wanted {
  const all = [...acknowledged, ...unacknowledged.values()]
  const named = new Map<string, SentImage[]>()
  for (const image of all) {
    const known = named.get(image.imageId)
    if (known === undefined) named.set(image.imageId, [image])
    else known.push(image)
  }
  return {
    run,
    startedAt,
    sent: new Map(all.map((image) => [image.sha256, image])),
    named,
    devices: new Set(all.map(({ device }) => device)),
    sizes: new Set(all.map(({ bytes }) => bytes))
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
    return judgeName(wanted, readClaims(wanted, { key, metadata, head }))
  }
  const { sha256, head, metadata } = await bucket.read(object, signal)
  const image = wanted.sent.get(sha256)
  if (image === undefined) return judgeName(wanted, readClaims(wanted, { key, metadata, head }))
  const { device, imageId } = readClaims(wanted, { key, metadata, head: Buffer.alloc(0) })
  const isMisnamed = (device !== undefined && device !== image.device) ||
    (imageId !== undefined && imageId !== image.imageId)
  return { kind: isMisnamed ? 'misnamed' : 'sent', sha256 }
}

/** What an object says of itself: in its metadata, its key, or the mark in its bytes. */
interface Claims {
  /** Of the image; undefined where nothing names one. */
  readonly run: string | undefined
  readonly device: string | undefined
  readonly imageId: string | undefined
}

function readClaims ({ devices }: Wanted, { key, metadata, head }: {
  readonly key: string
  readonly metadata: Readonly<Record<string, string>>
  readonly head: Buffer
}): Claims {
  const mark = parseMark(head)
  const name = parseNamedRun(metadata['image-id'] ?? '') ?? parseNamedRun(key)
  return {
    run: name?.run ?? mark?.run,
    device: metadata['device-id'] ?? key.split('/').find((part) => devices.has(part)) ?? mark?.device,
    imageId: name?.imageId ?? mark?.imageId
  }
}

// Devices keep their ids from run to run, so a run named by the object, its key or its bytes has the
// last word; only what names none is told by its device.
function judgeName ({ run, named, devices }: Wanted, claims: Claims): Judgement {
  const isOurs = claims.run === undefined ? devices.has(claims.device ?? '') : claims.run === run
  if (!isOurs) return { kind: 'foreign' }
  if (claims.imageId === undefined) return { kind: 'corrupted', image: undefined }
  const namesakes = named.get(claims.imageId) ?? []
  const image = claims.device === undefined && namesakes.length === 1
    ? namesakes[0]
    : namesakes.find(({ device }) => device === claims.device)
  return image === undefined ? { kind: 'unknown' } : { kind: 'corrupted', image }
}
