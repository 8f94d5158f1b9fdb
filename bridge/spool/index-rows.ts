// The rows of the index as they are written and read; spool-index.ts says what they mean.

import type { DeviceId, ImageId } from '../../broker/topics.ts'
import type { Held } from '../entry.ts'
import { parseJson } from '../json.ts'
import { Accounts, type SegmentAccount, type State, type Totals } from './accounts.ts'
import { isEntry } from './entry-record.ts'
import { IndexDamaged } from './errors.ts'
import type { Journal, Row } from './journal.ts'
import { formatSequence } from './segment.ts'

/** Where the payload of an entry is: a segment, or the set-aside store. */
export type Location = number
export const SET_ASIDE: Location = 0

/** A row of the index: what is held, and where its payload lies. */
export type Located = Held & { readonly segment: Location }

export const LETTERS: { readonly [state in State]: string } = {
  waiting: 'w', failed: 'f', uploaded: 'u', dropped: 'd'
}
export const STATES = Object.keys(LETTERS) as State[]
export const LAST = '\x7f' // behind every character of an id
const PAGE = 250

export function formatRow (located: Located): Row {
  return { key: LETTERS[located.state] + formatSequence(located.entry.sequence), value: JSON.stringify(located) }
}

/** Undefined where it is not what was written under this key. */
export function parseRow (key: string, value: string): Located | undefined {
  const state = STATES.find((state) => key.startsWith(LETTERS[state]))
  const row = parseJson(value) as Partial<Located> | undefined
  if (state === undefined || typeof row !== 'object' || row === null) return undefined
  if (!isEntry(row.entry) || formatSequence(row.entry.sequence) !== key.slice(1)) return undefined
  return Number.isFinite(row.segment) ? { ...row, state } as Located : undefined
}

/** The imageId first, so that an image can be found by its name alone. Neither alphabet has a slash. */
export function identityKey (deviceId: DeviceId, imageId: ImageId): string {
  return `i${imageId}/${deviceId}`
}

export function formatAccounts (accounts: Accounts): Row[] {
  return [
    { key: 't', value: JSON.stringify(accounts.totals) },
    ...accounts.takeTouched().map(([number, account]) =>
      ({ key: `s${String(number).padStart(10, '0')}`, value: account && JSON.stringify(account) }))
  ]
}

/**
 * The bookkeeping as it was written. Every row of an image that is still ours is read and held against the totals:
 * an image that the index has lost would otherwise be found by nobody. `onWaiting` is given those that wait.
 * Rejects with IndexDamaged.
 */
export async function readAccounts (journal: Journal, onWaiting: (row: Located) => void = () => {}): Promise<Accounts> {
  const written = journal.get('t')
  const totals = written === undefined ? undefined : parseJson(written) as Totals | undefined
  if (written !== undefined && !isTotals(totals)) throw new IndexDamaged('its totals are not what was written')
  const { rows } = await journal.range({ gt: 's', lt: `s${LAST}`, limit: -1 })
  const segments = rows.map(([key, value]) => {
    const account = parseJson(value) as SegmentAccount | undefined
    if (account?.number !== Number(key.slice(1))) throw new IndexDamaged(`its row ${key} is not what was written`)
    return account
  })
  for (const state of ['waiting', 'failed'] as const) {
    const found = await sumOf(journal, state, state === 'waiting' ? onWaiting : () => {})
    const { count = 0, bytes = 0 } = totals?.[state] ?? {}
    if (found.count === count && found.bytes === bytes) continue
    throw new IndexDamaged(`it has rows of ${found.count} ${state} images and should have ${count}`)
  }
  return new Accounts(totals, segments)
}

async function sumOf (
  journal: Journal, state: State, onRow: (row: Located) => void
): Promise<{ count: number, bytes: number }> {
  const letter = LETTERS[state]
  const sum = { count: 0, bytes: 0 }
  for (let gt: string | undefined = letter; gt !== undefined;) {
    const { rows, last } = await journal.range({ gt, lt: letter + LAST, limit: PAGE })
    for (const [key, value] of rows) {
      const row = parseRow(key, value)
      if (row === undefined) throw new IndexDamaged(`its row ${key} is not what was written`)
      sum.count++
      sum.bytes += row.entry.bytes
      onRow(row)
    }
    gt = last
  }
  return sum
}

function isTotals (totals: Totals | undefined): boolean {
  const sums = STATES.map((state) => totals?.[state])
  return Number.isFinite(totals?.sequence) && Number.isFinite(totals?.acknowledged) &&
    sums.every((sum) => Number.isFinite(sum?.count) && Number.isFinite(sum?.bytes))
}
