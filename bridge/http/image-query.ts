// GET /api/v1/images?state&device&from&to&limit&cursor, read and checked.

import { parseDeviceId, type DeviceId } from '../../broker/topics.ts'

export const IMAGE_STATES = ['waiting', 'uploading', 'retrying', 'failed', 'uploaded', 'dropped'] as const
export type ImageState = typeof IMAGE_STATES[number]

export interface ImageQuery {
  /** Undefined: all. */
  readonly state: ImageState | undefined
  readonly deviceId: DeviceId | undefined
  /** Acceptance, ms since epoch, inclusive and exclusive. */
  readonly from: number | undefined
  readonly to: number | undefined
  readonly limit: number
  /** A sequence: what comes is older. */
  readonly after: number | undefined
}

/** No filter at all. */
export const ALL = { state: undefined, deviceId: undefined, from: undefined, to: undefined, after: undefined } as const

const LIMIT_MAX = 500
const LIMIT = 100
const KEYS: ReadonlySet<string> = new Set(['state', 'device', 'from', 'to', 'limit', 'cursor'])

/** A sentence where the query cannot be understood. */
export function readImageQuery (query: URLSearchParams): ImageQuery | string {
  const foreign = [...query.keys()].find((key) => !KEYS.has(key))
  if (foreign !== undefined) return `there is no parameter ${quote(foreign)}, there are ${[...KEYS].join(', ')}`
  const [state, device] = [query.get('state'), query.get('device')]
  const known = IMAGE_STATES.find((word) => word === state)
  if (state === 'refused') return 'state "refused" has no list: those images are counted in /metrics, and a few kept in <dataDir>/refused'
  if (state !== null && known === undefined) return `state ${quote(state)} is none of ${IMAGE_STATES.join(', ')}`
  const deviceId = device === null ? undefined : parseDeviceId(device)
  if (device !== null && deviceId === undefined) {
    return `device ${quote(device)} is not 1 to 64 of A-Z a-z 0-9 . _ ~ -`
  }
  const [from, to] = [readTime(query.get('from')), readTime(query.get('to'))]
  if (Number.isNaN(from)) return `from ${quote(query.get('from'))} is not a time like 2026-11-03T06:00:00Z`
  if (Number.isNaN(to)) return `to ${quote(query.get('to'))} is not a time like 2026-11-03T06:00:00Z`
  if (from !== undefined && to !== undefined && from > to) return 'from is later than to'
  const page = readPage(query)
  return typeof page === 'string' ? page : { state: known, deviceId, from, to, ...page }
}

/** The part that GET /list has, too. */
export function readPage (query: URLSearchParams): Pick<ImageQuery, 'limit' | 'after'> | string {
  const [limit, cursor] = [query.get('limit'), query.get('cursor')]
  if (limit !== null && !(/^\d{1,6}$/.test(limit) && Number(limit) >= 1 && Number(limit) <= LIMIT_MAX)) {
    return `limit ${quote(limit)} is not a whole number from 1 to ${LIMIT_MAX}`
  }
  const after = cursor === null ? undefined : parseCursor(cursor)
  if (cursor !== null && after === undefined) return `cursor ${quote(cursor)} is none that was given out`
  return { limit: limit === null ? LIMIT : Number(limit), after }
}

/** Opaque to everybody else, so that what is in it may change. */
export function formatCursor (sequence: number): string {
  return Buffer.from(`1.${sequence}`).toString('base64url')
}

export function parseCursor (cursor: string): number | undefined {
  const match = /^1\.(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'))
  return match === null ? undefined : Number(match[1])
}

/** Where the next page is: the same query with another cursor. */
export function nextPage (path: string, query: URLSearchParams, next: number | undefined): string | undefined {
  if (next === undefined) return undefined
  const same = new URLSearchParams(query)
  same.set('cursor', formatCursor(next))
  return `${path}?${same.toString()}`
}

const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/i

/** RFC 3339, or a day of it; undefined where there is none, NaN where it cannot be read. */
function readTime (value: string | null): number | undefined {
  if (value === null) return undefined
  return TIME.test(value) ? Date.parse(value) : NaN
}

function quote (value: string | null): string {
  return JSON.stringify((value ?? '').slice(0, 80))
}
