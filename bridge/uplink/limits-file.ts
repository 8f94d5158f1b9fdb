// What an operator set of the uplink, so that it survives a restart until it runs out. JSON:
//
//   { "v": 1,
//     "override": { "rate": 6000000 | "share": 0.3, "since": ms, "until": ms, "reason": "..." },
//     "pause": { "since": ms, "until": ms, "reason": "..." } }
//
// Each part may be missing; without `until` it holds until it is put back. Rates are bits per second of the line.

import { open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseObject } from '../json.ts'
import { makeDirectory, syncDirectory } from '../spool/segment.ts'

/** How much of the line, as an operator says it; what a share comes to follows the capacity. */
export type Amount =
  /** Bits per second. */
  | { readonly kind: 'rate', readonly rate: number }
  /** 0 to 1. */
  | { readonly kind: 'share', readonly share: number }

/** Times are ms since epoch. */
export interface Pause {
  readonly since: number
  /** Undefined: until it is put back. */
  readonly until: number | undefined
  readonly reason: string | undefined
}

export interface Override extends Pause {
  readonly amount: Amount
}

export interface Orders {
  readonly override: Override | undefined
  readonly pause: Pause | undefined
}

export const NO_ORDERS: Orders = { override: undefined, pause: undefined }

/** No orders where there is no file; a sentence where it does not hold any that can be read. */
export async function readOrders (file: string): Promise<Orders | string> {
  try {
    return parseOrders(await readFile(file, 'utf8')) ?? `${file} does not hold what an operator set`
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException // readFile throws nothing else
    return code === 'ENOENT' ? NO_ORDERS : `${file} cannot be read (${message})`
  }
}

/** Resolves once it is durable. */
export async function writeOrders (file: string, { override, pause }: Orders): Promise<void> {
  const { amount, ...terms } = override ?? {}
  const plain = amount === undefined ? undefined : { ...formatAmount(amount), ...terms }
  await makeDirectory(dirname(file))
  const handle = await open(`${file}.new`, 'w', 0o600)
  try {
    await handle.writeFile(`${JSON.stringify({ v: 1, override: plain, pause }, undefined, 2)}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(`${file}.new`, file)
  await syncDirectory(dirname(file))
}

function formatAmount (amount: Amount): { rate: number } | { share: number } {
  switch (amount.kind) {
    case 'rate': return { rate: amount.rate }
    case 'share': return { share: amount.share }
  }
}

function parseOrders (text: string): Orders | undefined {
  const whole = parseObject(text)
  if (whole?.['v'] !== 1) return undefined
  const { override: set, pause: halt } = whole
  const pause = parseTerms(halt)
  const terms = parseTerms(set)
  const amount = parseAmount(set)
  if (halt !== undefined && pause === undefined) return undefined
  if (set !== undefined && (terms === undefined || amount === undefined)) return undefined
  return { pause, override: terms === undefined || amount === undefined ? undefined : { ...terms, amount } }
}

function parseTerms (value: unknown): Pause | undefined {
  const { since, until, reason } = fieldsOf(value) ?? {}
  if (!isPositive(since)) return undefined
  if (until !== undefined && !isPositive(until)) return undefined
  if (reason !== undefined && typeof reason !== 'string') return undefined
  return { since, until, reason }
}

function parseAmount (value: unknown): Amount | undefined {
  const { rate, share } = fieldsOf(value) ?? {}
  if (isPositive(rate)) return { kind: 'rate', rate }
  return isPositive(share) && share <= 1 ? { kind: 'share', share } : undefined
}

function fieldsOf (value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? value as Readonly<Record<string, unknown>> : undefined
}

function isPositive (value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0
}
