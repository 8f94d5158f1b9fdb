import { formatCount, formatImages } from '../amounts.ts'
import type { Held } from '../entry.ts'
import type { HeldImages } from './deps.ts'
import type { ImageFilter } from './image-filter.ts'
import { listStates, type ImagePage } from './image-list.ts'
import { ALL } from './image-query.ts'

export type Failed = Held & { readonly state: 'failed' }

/** What a filter matches. */
export interface Matches {
  readonly matched: number
  readonly bytes: number
  /** How many there are of each reason, the most frequent first. */
  readonly reasons: Readonly<Record<string, number>>
}

const PAGE = 100

/** The newest first, each once: the cursor only goes down. */
export async function * failedPages (
  spool: HeldImages, { query, reason }: Pick<ImageFilter, 'query' | 'reason'>
): AsyncGenerator<readonly Failed[], undefined> {
  let next: number | undefined = Number.MAX_SAFE_INTEGER
  while (next !== undefined) {
    const page: ImagePage = await listStates(spool, { ...ALL, ...query, limit: PAGE, after: next }, ['failed'])
    yield page.held
      .filter((held) => held.state === 'failed')
      .filter(({ failure }) => reason === undefined || failure.reason === reason)
    next = page.next
  }
}

export async function countMatches (
  spool: HeldImages, filter: ImageFilter, each: (failed: Failed) => void = () => {}
): Promise<Matches> {
  let [matched, bytes] = [0, 0]
  const reasons = new Map<string, number>()
  for await (const page of failedPages(spool, filter)) {
    for (const failed of page) {
      const { entry, failure: { reason } } = failed
      matched++
      bytes += entry.bytes
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
      each(failed)
    }
  }
  return { matched, bytes, reasons: Object.fromEntries([...reasons].sort(([, one], [, other]) => other - one)) }
}

/** `12 images match (10 too_large, 2 corrupt)`. */
export function describeMatches ({ matched, reasons }: Pick<Matches, 'matched' | 'reasons'>): string {
  if (matched === 0) return 'no failed image matches'
  const named = Object.entries(reasons).map(([reason, count]) => `${formatCount(count)} ${reason}`).join(', ')
  return `${formatImages(matched)} ${matched === 1 ? 'matches' : 'match'} (${named})`
}
