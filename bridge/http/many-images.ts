// POST /api/v1/images/retry and DELETE /api/v1/images: failed images by a filter.

import { formatCount } from '../amounts.ts'
import type { HttpDeps, HttpLimits } from './deps.ts'
import type { Exchange, Handler } from './exchange.ts'
import { readImageFilter, withBody, type ImageFilter } from './image-filter.ts'
import { readShortBody } from './json-body.ts'
import { countMatches, describeMatches, failedPages, type Matches } from './matches.ts'
import { problem } from './problem.ts'
import { json, type Reply } from './reply.ts'

/** Deleted by one request: each is kept in mind between the counting and the deleting. */
const DELETED_MAX = 10_000
const BODY_BYTES_MAX = 10_000

export interface ManyHandlers {
  readonly retry: Handler
  readonly drop: Handler
}

export function createManyHandlers (
  { spool }: Pick<HttpDeps, 'spool'>, limits: HttpLimits
): ManyHandlers {
  async function retry ({ request, query }: Exchange): Promise<Reply | undefined> {
    if (Number(request.headers['content-length'] ?? 0) > BODY_BYTES_MAX) return tooLong()
    const body = await readShortBody(request, BODY_BYTES_MAX, limits)
    if (body.kind === 'reply') return body.reply
    if (body.kind === 'too-long') return tooLong()
    const params = withBody(query, body.text)
    const filter = typeof params === 'string' ? params : readImageFilter(params)
    if (typeof filter === 'string') return problem('bad_query', filter)
    if (filter.dryRun) return json(200, { dryRun: true, ...await countMatches(spool, filter) })
    return json(200, { retried: await retryAll(filter) })
  }

  /** Those that had failed when it was asked for; what fails again meanwhile is not tried twice. */
  async function retryAll (filter: ImageFilter): Promise<number> {
    let retried = 0
    for await (const page of failedPages(spool, filter)) {
      const outcomes = await Promise.all(page.map(({ entry }) => spool.retry(entry)))
      retried += outcomes.filter((wasFailed) => wasFailed).length
    }
    return retried
  }

  /** Deleting is the one way in which an acknowledged image can be lost, so somebody has to know how many they are. */
  async function drop ({ query }: Exchange): Promise<Reply> {
    const filter = readImageFilter(query)
    if (typeof filter === 'string') return problem('bad_query', filter)
    const meant = new Set<number>()
    const matches = await countMatches(spool, filter, ({ entry }) => {
      if (meant.size < DELETED_MAX) meant.add(entry.sequence)
    })
    if (filter.dryRun) return json(200, { dryRun: true, ...matches })
    const { matched } = matches
    if (filter.confirm !== matched) return notConfirmed(filter, matches)
    if (matched > DELETED_MAX) {
      const detail = `${describeMatches(matches)}, and at most ${formatCount(DELETED_MAX)} are deleted at once`
      return problem('not_confirmed', detail, { hint: 'Name a reason, a device or a time, so that fewer match.' })
    }
    return json(200, { dropped: await dropAll(filter, meant) })
  }

  /** Of those that were counted, the ones that are still failed. */
  async function dropAll (filter: ImageFilter, meant: ReadonlySet<number>): Promise<number> {
    let dropped = 0
    for await (const page of failedPages(spool, filter)) {
      const outcomes = await Promise.all(page
        .filter(({ entry }) => meant.has(entry.sequence))
        .map(({ entry }) => spool.drop(entry)))
      dropped += outcomes.filter((wasHeld) => wasHeld).length
    }
    return dropped
  }

  return { retry, drop }
}

function tooLong (): Reply {
  return problem('bad_query', `a filter has at most ${BODY_BYTES_MAX} bytes`)
}

function notConfirmed ({ confirm }: ImageFilter, matches: Matches): Reply {
  const { matched } = matches
  const said = confirm === undefined ? 'nobody has confirmed that number' : `${formatCount(confirm)} were confirmed`
  const hint = matched === 0 ? undefined : `Say confirm=${matched} (--confirm ${matched}) to delete them for good.`
  return problem('not_confirmed', `${describeMatches(matches)}, and ${said}`, { hint, members: { ...matches } })
}
