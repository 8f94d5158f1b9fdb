// What comes next for one image, and if it waits: why, behind what, and for how long.

import type { Entry, Held } from '../entry.ts'
import { formatTime } from '../limit-status.ts'
import type { Sum } from '../spool/accounts.ts'
import type { QueueClass, QueueRow } from '../spool/queues.ts'
import type { HttpDeps } from './deps.ts'
import { imageState } from './image-json.ts'
import type { LiveStatus } from './live-status.ts'

/** Times are RFC 3339; what is not known is absent. */
export type NextJson =
  | { readonly kind: 'stored' | 'dropped' }
  /** Until somebody tries it again or gives it up. */
  | { readonly kind: 'failed' }
  | { readonly kind: 'uploading', readonly since?: string | undefined, readonly attempt?: number | undefined }
  | WaitingJson

export interface WaitingJson {
  readonly kind: 'waiting'
  /** The first that holds: the service stops, uploads are paused, the store is away, its next attempt, its turn. */
  readonly why: 'stopping' | 'paused' | 'down' | 'again' | 'turn'
  /** Who paused uploads, or for whose sake it waits to be tried again. */
  readonly by?: 'operator' | 'schedule' | 'store' | 'disk' | undefined
  readonly reason?: string | undefined
  readonly detail?: string | undefined
  /** When the pause ends, the store is asked again, or the next attempt is due. */
  readonly until?: string | undefined
  /** Where it stands: what an operator has put first, else its lane. */
  readonly lane: QueueClass
  /** Images of its own device that go before it; `orMore` where they were not all counted. */
  readonly behind: Sum & { readonly orMore?: true }
  /** All that waits, in whatever lane. */
  readonly backlog: Sum
  /** In which all that waits now is up, if nothing more urgent comes; absent where that is not to be foreseen. */
  readonly withinSeconds?: number | undefined
}

type Deps = Pick<HttpDeps, 'spool' | 'uplink' | 'limits' | 'lives' | 'scheduling' | 'isStopping'>

/** Rows that are looked at to say how many go before one. */
const ROWS_MAX = 1000

export async function foretell (held: Held, deps: Deps, live: LiveStatus): Promise<NextJson> {
  switch (held.state) {
    case 'uploaded': return { kind: 'stored' }
    case 'dropped':
    case 'failed': return { kind: held.state }
    case 'waiting': {
      const { entry } = held
      if (imageState(held, deps.uplink.levels) === 'uploading') return underWay(entry, deps)
      const lane = held.prioritized === true ? 'prioritized' : entry.lane ?? 'normal'
      const behind = await goingBefore(entry, lane, deps)
      const { backlog, forecast } = live.read()
      const why = whyWaiting(entry, deps)
      const isForeseen = why.why === 'turn' || why.why === 'paused'
      return {
        kind: 'waiting',
        ...why,
        lane,
        behind,
        backlog: { count: backlog.count, bytes: backlog.bytes },
        withinSeconds: isForeseen ? forecast.newImageUpInSeconds : undefined
      }
    }
  }
}

function underWay (entry: Entry, { lives }: Deps): NextJson {
  const attempt = lives.find(entry)?.events.findLast((one) => one.kind === 'attempt')
  return { kind: 'uploading', since: formatTime(attempt?.at), attempt: attempt?.attempt }
}

function whyWaiting (
  entry: Entry, { uplink, limits, isStopping }: Deps
): Pick<WaitingJson, 'why' | 'by' | 'reason' | 'detail' | 'until'> {
  if (isStopping()) return { why: 'stopping' }
  const { paused, reason, until } = limits.inForce
  if (paused !== undefined) return { why: 'paused', by: paused, reason, until: formatTime(until) }
  const { state } = uplink.levels
  if (state.kind === 'down') {
    return { why: 'down', reason: state.reason, detail: state.detail, until: formatTime(state.retryAt) }
  }
  const retry = uplink.retryOf(entry)
  if (retry === undefined) return { why: 'turn' }
  return { why: 'again', by: retry.cause, until: retry.notBefore === 0 ? undefined : formatTime(retry.notBefore) }
}

async function goingBefore (entry: Entry, lane: QueueClass, { spool, scheduling }: Deps): Promise<WaitingJson['behind']> {
  const { sequence, deviceId } = entry
  const read = async (one: QueueClass, [after, before]: readonly [number, number]): Promise<readonly QueueRow[]> =>
    await spool.backlog.read({ class: one, deviceId }, { after, before, limit: ROWS_MAX })
  const [older, newer] = [[0, sequence], [sequence, Infinity]] as const
  const inLane = async (): Promise<readonly QueueRow[]> => {
    const order = lane === 'prioritized' ? 'oldest' : scheduling?.().order
    if (order === 'newest') return await read(lane, newer)
    if (order !== 'newest-per-device') return await read(lane, older)
    const last = (await read(lane, newer)).at(-1) // the newest of all goes at once, and then the oldest first
    return last === undefined ? [] : [...await read(lane, older), last]
  }
  const first = lane === 'prioritized' ? [] : await read('prioritized', [0, Infinity])
  const rows = [...first, ...await inLane()].slice(0, ROWS_MAX)
  const behind = { count: rows.length, bytes: rows.reduce((sum, { bytes }) => sum + bytes, 0) }
  return rows.length === ROWS_MAX ? { ...behind, orMore: true } : behind
}
