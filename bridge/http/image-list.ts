import type { Held } from '../entry.ts'
import type { UplinkLevels } from '../uplink/uplink.ts'
import type { HeldImages } from './deps.ts'
import { imageState } from './image-json.ts'
import type { ImageQuery } from './image-query.ts'

type State = Held['state']

export interface ImagePage {
  /** Newest first. */
  readonly held: readonly Held[]
  /** Give it as `after` to go on; undefined at the end. A page may be short, or empty, before the end. */
  readonly next: number | undefined
}

/** One look at the index for each state there can be, so that a page costs the same whatever is behind it. */
export async function listImages (
  spool: HeldImages, uplink: UplinkLevels, query: ImageQuery
): Promise<ImagePage> {
  const { state } = query
  switch (state) {
    case undefined:
      return await listStates(spool, query, ['waiting', 'failed', 'uploaded', 'dropped'])
    case 'failed':
    case 'uploaded':
    case 'dropped':
      return await listStates(spool, query, [state])
    case 'waiting': {
      const { held, next } = await listStates(spool, query, [state])
      return { held: held.filter((one) => imageState(one, uplink) === state), next }
    }
    case 'uploading':
    case 'retrying':
      return await listAmong(spool, query, uplink[state])
  }
}

/** Pages of several states laid over each other. */
export async function listStates (
  spool: HeldImages, query: ImageQuery, states: readonly State[]
): Promise<ImagePage> {
  const pages = await Promise.all(states.map((state) => spool.list(spoolQuery(query, state))))
  // Each page tells all there is down to its own end; below the highest of these ends something may be missing.
  const complete = Math.max(...pages.map(({ next }) => next ?? 0))
  const known = pages.flatMap(({ held }) => held)
    .filter(({ entry }) => entry.sequence >= complete)
    .sort((a, b) => b.entry.sequence - a.entry.sequence)
  const held = known.slice(0, query.limit)
  const end = complete === 0 ? undefined : complete
  return { held, next: known.length > held.length ? held.at(-1)?.entry.sequence : end }
}

/** What is uploading or retrying: few, known by their sequences, and among the oldest. */
async function listAmong (
  spool: HeldImages, query: ImageQuery, sequences: ReadonlySet<number>
): Promise<ImagePage> {
  if (sequences.size === 0) return { held: [], next: undefined }
  const after = Math.min(query.after ?? Infinity, Math.max(...sequences) + 1)
  const { held, next } = await listStates(spool, { ...query, after }, ['waiting'])
  return {
    held: held.filter(({ entry }) => sequences.has(entry.sequence)),
    next: next !== undefined && next > Math.min(...sequences) ? next : undefined
  }
}

function spoolQuery ({ deviceId, from, to, limit, after }: ImageQuery, state: State): Parameters<HeldImages['list']>[0] {
  return {
    state,
    limit,
    ...deviceId === undefined ? {} : { deviceId },
    ...from === undefined ? {} : { from },
    ...to === undefined ? {} : { to },
    ...after === undefined ? {} : { after }
  }
}
