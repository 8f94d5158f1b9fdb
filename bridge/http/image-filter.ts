// Which of the failed images are meant: ?state=failed&reason&device&from&to&dryRun&confirm, or the same names in a
// JSON body. What is not understood is refused, because without a filter every one of them is meant.

import { parseObject } from '../json.ts'
import { readImageQuery, type ImageQuery } from './image-query.ts'

export interface ImageFilter {
  readonly query: Pick<ImageQuery, 'deviceId' | 'from' | 'to'>
  /** Of the last attempt; undefined: any. */
  readonly reason: string | undefined
  /** Nothing is to be done but to say what would be. */
  readonly dryRun: boolean
  /** The number of images that somebody expects to match. */
  readonly confirm: number | undefined
}

const OWN = ['reason', 'dryRun', 'confirm'] as const
const NAMES: ReadonlySet<string> = new Set(['state', 'device', 'from', 'to', ...OWN])

/** A sentence where it cannot be understood. */
export function readImageFilter (params: URLSearchParams): ImageFilter | string {
  const foreign = [...params.keys()].find((name) => !NAMES.has(name))
  if (foreign !== undefined) return `there is no parameter ${quote(foreign)}, there are ${[...NAMES].join(', ')}`
  const twice = [...NAMES].find((name) => params.getAll(name).length > 1)
  if (twice !== undefined) return `${twice} is given twice`
  const [reason, dryRun, confirm] = OWN.map((name) => params.get(name) ?? undefined)
  if (reason === '') return 'reason is empty; leave it out where any is meant'
  if (dryRun !== undefined && !['true', 'false'].includes(dryRun)) return `dryRun ${quote(dryRun)} is neither true nor false`
  if (confirm !== undefined && !/^\d{1,9}$/.test(confirm)) return `confirm ${quote(confirm)} is not a number of images`
  const rest = new URLSearchParams(params)
  for (const name of OWN) rest.delete(name)
  const query = readImageQuery(rest)
  if (typeof query === 'string') return query
  if (query.state !== undefined && query.state !== 'failed') {
    return `state ${quote(query.state)} cannot be meant here: only failed images are tried again or deleted by a filter`
  }
  return {
    query: { deviceId: query.deviceId, from: query.from, to: query.to },
    reason,
    dryRun: dryRun === 'true',
    confirm: confirm === undefined ? undefined : Number(confirm)
  }
}

/** The members of a JSON object beside what the query says; a sentence where it is none. */
export function withBody (query: URLSearchParams, body: string): URLSearchParams | string {
  if (body.trim() === '') return query
  const members = parseObject(body)
  if (members === undefined) return 'the body is not a JSON object'
  const params = new URLSearchParams(query)
  for (const [name, value] of Object.entries(members)) {
    if (!['string', 'number', 'boolean'].includes(typeof value)) return `${name} is neither text nor a number`
    params.append(name, String(value))
  }
  return params
}

function quote (value: string): string {
  return JSON.stringify(value.slice(0, 80))
}
