import type { Acknowledged } from '../devices/events.ts'
import type { Evidence } from '../report/report.ts'
import { Latencies, type Percentiles } from '../run/latencies.ts'
import type { Listed } from './bucket.ts'
import type { Judgement, Wanted } from './judgement.ts'

export interface Finding {
  readonly count: number
  /** Up to five. */
  readonly examples: readonly string[]
}

/** Every PUBACKed image that is to be stored is exactly one of found, lost, or there with other bytes. */
export interface Verdict {
  /** Nothing lost, duplicated, corrupted or unexpected, and nothing unread, which could be any of these. */
  readonly held: boolean
  /** PUBACKed images that have to be in the store. */
  readonly acknowledged: number
  /** PUBACKed all the same: no images, which must not be there, and too large ones, which may. */
  readonly exempt: number
  /** Those that are, byte for byte. */
  readonly found: number
  /** PUBACKed, and no object by the deadline, neither with their bytes nor in their name. */
  readonly lost: Finding
  /** Objects that hold an image which another object holds already. */
  readonly duplicated: Finding
  /** Objects of this run whose bytes are those of no image that was sent. */
  readonly corrupted: Finding
  /** Objects of this run that should not be: of images never sent, under another image's name, or no image at all. */
  readonly unexpected: Finding
  /** Objects that have nothing to do with this run. */
  readonly foreign: Finding
  /** Objects that the store listed and did not give. */
  readonly unread: Finding
  /** From the planned capture until it was in the store; by the store's clock, which has whole seconds, rounded up. */
  readonly e2e: Percentiles
  readonly seconds: number
}

interface Seen {
  readonly object: Listed
  readonly judgement: Judgement
  round: number
}

const EXAMPLES_MAX = 5
/** LastModified is cut to whole seconds. */
const MODIFIED_MS = 999

/** What is known about a bucket, look by look. An object is judged again only when its ETag changes. */
export class Inspection {
  readonly #acknowledged: readonly Acknowledged[]
  readonly #exempt: number
  readonly #measuredFrom: number
  readonly #wanted: Wanted
  readonly #seen = new Map<string, Seen>()
  #unread: string[] = []
  #round = 0

  constructor ({ acknowledged, measuredFrom }: Evidence, wanted: Wanted) {
    this.#measuredFrom = measuredFrom
    this.#acknowledged = acknowledged.filter(({ expect }) => expect === 'stored')
    this.#exempt = acknowledged.length - this.#acknowledged.length
    this.#wanted = wanted
  }

  /** Starts a look at the bucket. */
  begin (): void {
    this.#round++
    this.#unread = []
  }

  isKnown ({ key, etag }: Listed): boolean {
    const seen = this.#seen.get(key)
    if (seen?.object.etag !== etag) return false
    seen.round = this.#round
    return true
  }

  note (object: Listed, judgement: Judgement): void {
    this.#seen.set(object.key, { object, judgement, round: this.#round })
  }

  noteUnread ({ key }: Listed, cause: unknown): void {
    this.#seen.delete(key)
    this.#unread.push(`${key}: ${String(cause)}`)
  }

  /** Ends a look at the whole bucket: what was not listed is no longer there. */
  end (): void {
    for (const [key, { round }] of this.#seen) if (round !== this.#round) this.#seen.delete(key)
  }

  /** How many there are to find. */
  get acknowledged (): number { return this.#acknowledged.length }

  /** How many of the latest look could not be read. */
  get unread (): number { return this.#unread.length }

  get found (): number {
    const objects = this.#objectsBySha256()
    return this.#acknowledged.filter(({ sha256 }) => objects.has(sha256)).length
  }

  verdict (seconds: number): Verdict {
    const objects = this.#objectsBySha256()
    const damaged = new Set(this.#judged('corrupted').map(({ judgement }) =>
      judgement.kind === 'corrupted' ? judgement.image?.sha256 : undefined))
    const missing = this.#acknowledged.filter(({ sha256 }) => !objects.has(sha256))
    const lost = find(missing.filter(({ sha256 }) => !damaged.has(sha256))
      .map(({ device, imageId, sha256 }) => `${device} ${imageId}, SHA-256 ${sha256}`))
    const duplicated = find([...objects.values()].flatMap(([first, ...more]) =>
      more.map(({ key }) => `${key} is ${first?.key}`)))
    const corrupted = find(this.#judged('corrupted').map(({ object: { key } }) => key))
    const unexpected = this.#findUnexpected(objects)
    return {
      held: lost.count + duplicated.count + corrupted.count + unexpected.count + this.#unread.length === 0,
      acknowledged: this.#acknowledged.length,
      exempt: this.#exempt,
      found: this.#acknowledged.length - missing.length,
      lost,
      duplicated,
      corrupted,
      unexpected,
      foreign: find(this.#judged('foreign').map(({ object: { key } }) => key)),
      unread: find(this.#unread),
      e2e: this.#measure(objects),
      seconds
    }
  }

  #findUnexpected (objects: ReadonlyMap<string, readonly Listed[]>): Finding {
    const refused = [...objects].filter(([sha256]) => this.#wanted.sent.get(sha256)?.expect === 'refused')
    return find([
      ...this.#judged('unknown').map(({ object: { key } }) => `${key} is of this run, which never sent it`),
      ...this.#judged('misnamed').map(({ object: { key } }) => `${key} holds another image than it says`),
      ...refused.flatMap(([, all]) => all.map(({ key }) => `${key} is no image`))
    ])
  }

  #measure (objects: ReadonlyMap<string, readonly Listed[]>): Percentiles {
    const latencies = new Latencies()
    for (const { sha256, plannedAt } of this.#acknowledged) {
      if (plannedAt < this.#measuredFrom) continue
      const [object] = objects.get(sha256) ?? []
      if (object !== undefined) latencies.record(object.modifiedAt + MODIFIED_MS - plannedAt)
    }
    return latencies.percentiles
  }

  #judged (kind: Judgement['kind']): readonly Seen[] {
    return [...this.#seen.values()].filter(({ judgement }) => judgement.kind === kind)
  }

  // A misnamed object has the bytes all the same: its image is not lost.
  #objectsBySha256 (): Map<string, Listed[]> {
    const objects = new Map<string, Listed[]>()
    for (const { object, judgement } of this.#seen.values()) {
      if (judgement.kind !== 'sent' && judgement.kind !== 'misnamed') continue
      const known = objects.get(judgement.sha256)
      if (known === undefined) objects.set(judgement.sha256, [object])
      else known.push(object)
    }
    return objects
  }
}

function find (all: readonly string[]): Finding {
  return { count: all.length, examples: all.slice(0, EXAMPLES_MAX) }
}
