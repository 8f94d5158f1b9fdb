import type { Listed } from './bucket.ts'
import type { Judgement } from './judgement.ts'
import type { Acknowledged } from './events.ts'

export interface Finding {
  readonly count: number
  /** Up to five. */
  readonly examples: readonly string[]
}

export interface Verdict {
  /** Nothing lost, duplicated or corrupted. */
  readonly held: boolean
  readonly acknowledged: number
  /** Acknowledged images that are in the store, byte for byte. */
  readonly found: number
  /** PUBACKed, and not in the store by the deadline. */
  readonly lost: Finding
  /** The same image under one more key. */
  readonly duplicated: Finding
  /** Objects of this run whose bytes are those of no image that was sent. */
  readonly corrupted: Finding
  /** Objects that have nothing to do with this run. */
  readonly foreign: Finding
  /** Objects that the store listed and did not give. */
  readonly unread: Finding
  readonly seconds: number
}

interface Seen {
  readonly etag: string
  readonly judgement: Judgement
  round: number
}

const EXAMPLES_MAX = 5

/** What is known about a bucket, look by look. An object is judged again only when its ETag changes. */
export class Inspection {
  readonly #acknowledged: readonly Acknowledged[]
  readonly #seen = new Map<string, Seen>()
  #unread: string[] = []
  #round = 0

  constructor (acknowledged: readonly Acknowledged[]) {
    this.#acknowledged = acknowledged
  }

  /** Starts a look at the bucket. */
  begin (): void {
    this.#round++
    this.#unread = []
  }

  isKnown ({ key, etag }: Listed): boolean {
    const seen = this.#seen.get(key)
    if (seen?.etag !== etag) return false
    seen.round = this.#round
    return true
  }

  note ({ key, etag }: Listed, judgement: Judgement): void {
    this.#seen.set(key, { etag, judgement, round: this.#round })
  }

  noteUnread ({ key }: Listed, cause: unknown): void {
    this.#seen.delete(key)
    this.#unread.push(`${key}: ${String(cause)}`)
  }

  /** Ends a look at the whole bucket: what was not listed is no longer there. */
  end (): void {
    for (const [key, { round }] of this.#seen) if (round !== this.#round) this.#seen.delete(key)
  }

  get found (): number {
    const keys = this.#keysBySha256()
    return this.#acknowledged.filter(({ sha256 }) => keys.has(sha256)).length
  }

  verdict (seconds: number): Verdict {
    const keys = this.#keysBySha256()
    const missing = this.#acknowledged.filter(({ sha256 }) => !keys.has(sha256))
    const lost = find(missing.map(({ device, imageId, sha256 }) =>
      `${device} ${imageId ?? 'without a name'}, SHA-256 ${sha256}`))
    const duplicated = find([...keys.values()].flatMap(([first, ...more]) =>
      more.map((key) => `${key} is ${first}`)))
    const corrupted = find(this.#keysOf('corrupted'))
    return {
      held: lost.count + duplicated.count + corrupted.count === 0,
      acknowledged: this.#acknowledged.length,
      found: this.#acknowledged.length - missing.length,
      lost,
      duplicated,
      corrupted,
      foreign: find(this.#keysOf('foreign')),
      unread: find(this.#unread),
      seconds
    }
  }

  #keysOf (kind: Judgement['kind']): readonly string[] {
    return [...this.#seen].filter(([, { judgement }]) => judgement.kind === kind).map(([key]) => key)
  }

  #keysBySha256 (): Map<string, string[]> {
    const keys = new Map<string, string[]>()
    for (const [key, { judgement }] of this.#seen) {
      if (judgement.kind !== 'sent') continue
      const known = keys.get(judgement.sha256)
      if (known === undefined) keys.set(judgement.sha256, [key])
      else known.push(key)
    }
    return keys
  }
}

function find (all: readonly string[]): Finding {
  return { count: all.length, examples: all.slice(0, EXAMPLES_MAX) }
}
