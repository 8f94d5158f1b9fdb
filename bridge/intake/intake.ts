import { setTimeout as delay } from 'node:timers/promises'
import type { Arrival, Entry, Held } from '../entry.ts'
import type { Observe, PauseReason, RefusalReason } from '../events.ts'
import { EntryCorrupt, SpoolPaused } from '../spool/errors.ts'
import type { Spool } from '../spool/spool.ts'
import { foreignType, hash, readOffer, type Candidate, type Offer, type Refused } from './candidate.ts'
import { detectType } from './image-type.ts'
import { laneByRule, type LaneRule } from './lane-rules.ts'
import type { RefusedSamples } from './refused-samples.ts'

export type IntakeOutcome =
  | { readonly kind: 'taken', readonly entry: Entry }
  | { readonly kind: 'duplicate', readonly held: Held }
  | { readonly kind: 'refused', readonly reason: RefusalReason, readonly detail: string }
  | { readonly kind: 'withheld', readonly reason: PauseReason, readonly detail: string }

export interface Intake {
  /** Never rejects but on a bug. `taken` is a promise that the image survives a crash and a loss of power. */
  take (offer: Offer): Promise<IntakeOutcome>
}

export interface IntakeDeps {
  readonly spool: Spool
  readonly samples: RefusedSamples
  readonly observe: Observe
}

export interface IntakeOptions {
  readonly imageTypes: readonly string[]
  readonly imageKey: string
  readonly dedupWindowMs: number
  /** How long an image waits for a paused spool before it is given back to its device. */
  readonly withholdMs: number
  /** For images whose sender names no lane; the first rule that fits holds. */
  readonly laneRules?: readonly LaneRule[]
}

/** Admission, then custody. */
export function createIntake (deps: IntakeDeps, options: IntakeOptions): Intake {
  const { spool, samples, observe } = deps
  /** Names being taken at present: a second offer of the same one waits for what becomes of the first. */
  const taking = new Map<string, Promise<IntakeOutcome>>()

  async function take (offer: Offer): Promise<IntakeOutcome> {
    const startedAt = performance.now()
    const read = readOffer(offer, options.imageKey)
    if (read.kind === 'refused') return refuse(offer, read)
    const { deviceId, imageId } = read.arrival
    const contentType = await detectType(read.image)
    if (contentType === undefined || !options.imageTypes.includes(contentType)) {
      const fault = foreignType(contentType, read.image, options.imageTypes)
      return refuse(offer, { ...read, deviceId, imageId, fault })
    }
    const name = `${deviceId}/${imageId}`
    for (let first = taking.get(name); first !== undefined; first = taking.get(name)) await first
    const lane = read.arrival.lane ?? laneByRule(options.laneRules ?? [], read.arrival)
    const named = { ...read, arrival: { ...read.arrival, contentType, lane } }
    const outcome = patiently(deps, named.arrival, options.withholdMs, () => takeNamed(offer, named, startedAt))
      .finally(() => taking.delete(name))
    taking.set(name, outcome)
    return await outcome
  }

  async function takeNamed (offer: Offer, candidate: Named, startedAt: number): Promise<IntakeOutcome> {
    const { format, image, arrival } = candidate
    const { deviceId, imageId } = arrival
    const held = await spool.find(deviceId, imageId)
    if (held !== undefined && isRemembered(held, options.dedupWindowMs)) {
      switch (await compare(spool, held, candidate)) {
        case 'same':
          observe({ kind: 'image-duplicate', deviceId, imageId, format })
          return { kind: 'duplicate', held }
        case 'other': {
          const detail = `${deviceId} has sent other bytes as ${imageId} before: an id names one image for ever`
          return refuse(offer, { format, deviceId, imageId, fault: { reason: 'id_conflict', detail } })
        }
        case 'unknown':
          return { kind: 'withheld', reason: 'storage_error', detail: `${imageId} is held already and cannot be read` }
        case 'damaged': // ours is lost, so this one is no duplicate: it is the only one there is
      }
    }
    const entry = await spool.append({ ...arrival, receivedAt: Date.now() }, image)
    observe({ kind: 'image-taken', entry, format, seconds: (performance.now() - startedAt) / 1000 })
    return { kind: 'taken', entry }
  }

  function refuse (offer: Offer, { format, deviceId, imageId, fault }: Omit<Refused, 'kind'>): IntakeOutcome {
    samples.keep(deviceId, fault, offer.payload)
    observe({ kind: 'image-refused', deviceId, imageId, format, ...fault })
    return { kind: 'refused', ...fault }
  }

  return { take }
}

/** A candidate that has proved to be an image. */
type Named = Omit<Candidate, 'arrival'> & { readonly arrival: Omit<Arrival, 'receivedAt'> }

/** Waits for a paused spool, though not for ever: the device must learn that it still has the image. */
async function patiently (
  { spool, observe }: IntakeDeps, { deviceId, imageId }: Named['arrival'], withholdMs: number,
  take: () => Promise<IntakeOutcome>
): Promise<IntakeOutcome> {
  let deadline: AbortSignal | undefined
  for (;;) {
    try {
      return await take()
    } catch (error) {
      if (!(error instanceof SpoolPaused)) throw error
      deadline ??= AbortSignal.timeout(withholdMs)
      const { code: reason, message: detail } = error
      observe({ kind: 'image-withheld', deviceId, imageId, reason, detail })
      await spool.accepting(deadline)
      if (deadline.aborted) return { kind: 'withheld', reason, detail }
      await delay(10) // a spool that pauses and resumes in turn must not keep us spinning
    }
  }
}

function isRemembered ({ state, entry }: Held, dedupWindowMs: number): boolean {
  return state === 'waiting' || state === 'failed' || entry.receivedAt > Date.now() - dedupWindowMs
}

/** CRC-32 tells most apart at once; only SHA-256, or the bytes, may say that two images are one. */
async function compare (
  spool: Spool, held: Held, { image, arrival }: Named
): Promise<'same' | 'other' | 'damaged' | 'unknown'> {
  if (held.entry.bytes !== arrival.bytes || held.entry.crc32 !== arrival.crc32) return 'other'
  switch (held.state) {
    case 'uploaded':
      return held.upload.sha256 === (arrival.sha256 ?? hash(image)) ? 'same' : 'other'
    case 'dropped':
      return 'same'
    case 'waiting':
    case 'failed':
      try {
        return (await spool.payload(held.entry)).equals(image) ? 'same' : 'other'
      } catch (error) {
        return error instanceof EntryCorrupt ? 'damaged' : 'unknown'
      }
  }
}
