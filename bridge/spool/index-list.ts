import type { DeviceId } from '../../broker/topics.ts'
import type { Held } from '../entry.ts'
import type { State } from './accounts.ts'
import { LAST, LETTERS, parseRow } from './index-rows.ts'
import type { Journal } from './journal.ts'
import { formatSequence, parseSequence } from './segment.ts'

export interface ListQuery {
  readonly state: State
  readonly deviceId?: DeviceId
  /** Acceptance, ms since epoch, inclusive and exclusive. */
  readonly from?: number
  readonly to?: number
  readonly limit: number
  /** A sequence; the page begins below it, newest first. */
  readonly after?: number
}

export interface Page {
  readonly held: readonly Held[]
  /** Give it as `after` to go on; undefined at the end. A page may be short, or empty, before the end. */
  readonly next: number | undefined
}

const LIST_SCAN_MAX = 2000

export async function listPage (
  journal: Journal, { state, deviceId, from = 0, to = Infinity, limit, after }: ListQuery
): Promise<Page> {
  const letter = LETTERS[state]
  const lt = letter + (after === undefined ? LAST : formatSequence(after))
  const isFiltered = deviceId !== undefined || from > 0 || to < Infinity
  const scanned = isFiltered ? LIST_SCAN_MAX : Math.min(limit, LIST_SCAN_MAX)
  const { rows, last } = await journal.range({ gt: letter, lt, limit: scanned, reverse: true })
  const held: Held[] = []
  for (const [key, value] of rows) {
    const found = parseRow(key, value)
    if (found === undefined) continue
    const { entry } = found
    if (deviceId !== undefined && entry.deviceId !== deviceId) continue
    if (entry.receivedAt < from || entry.receivedAt >= to) continue
    held.push(found)
    if (held.length === limit) return { held, next: entry.sequence }
  }
  return { held, next: last === undefined ? undefined : parseSequence(last.slice(1)) }
}
