// The kinds of setting: each reads what a person wrote in a file, in the environment or as a flag,
// and says in words what it wanted instead. Messages are predicates ("is not a size; ..."), because
// the reader of a problem sees the path and the value before them.

import * as z from 'zod'
import type { Address } from './config.ts'
import { formatAddress, parseAddress } from './address.ts'
import {
  formatCapacity, formatDuration, formatRate, formatShare, formatSize,
  parseCapacity, parseDuration, parseRate, parseShare, parseSize
} from './units.ts'

export interface Limits {
  readonly min?: number
  readonly max?: number
  /** As `min`, but not this value itself. */
  readonly above?: number
}

interface Notation<Value, Text = string> {
  readonly refusal: string
  parse (text: string): Value | undefined
  /** As a file would have it. */
  format (value: Value): Text
}

const SIZE: Notation<number> =
  { refusal: 'is not a size; write it like 250KB, 8MB or 64MiB', parse: parseSize, format: formatSize }
const RATE: Notation<number> =
  { refusal: 'is not a rate in bits per second; write it like 40Mbit or 512kbit', parse: parseRate, format: formatRate }
const UNLIMITED: Notation<number> = {
  refusal: `${RATE.refusal}, or unlimited`,
  parse: parseCapacity,
  format: formatCapacity
}
const DURATION: Notation<number> =
  { refusal: 'is not a duration; write it like 500ms, 90s or 24h', parse: parseDuration, format: formatDuration }
const SHARE: Notation<number> =
  { refusal: 'is not a share; write it like 20%', parse: parseShare, format: formatShare }
const COUNT: Notation<number, number> = {
  refusal: 'is not a whole number; write it in digits, like 8',
  parse: (text) => /^\d{1,15}$/.test(text) ? Number(text) : undefined,
  format: (count) => count
}
const ADDRESS: Notation<Address> = {
  refusal: 'is not host:port; write it like 127.0.0.1:1883 or [::1]:1883',
  parse: parseAddress,
  format: formatAddress
}
const FLAG: Notation<boolean, boolean> = {
  refusal: 'is neither true nor false',
  parse: (text) => text === 'true' ? true : text === 'false' ? false : undefined,
  format: (flag) => flag
}

/** Bytes. */
export const size = (fallback: string, description: string, limits?: Limits) =>
  measure(SIZE, fallback, description, limits)
/** Bits per second. */
export const rate = (fallback: string, description: string, limits?: Limits) =>
  measure(RATE, fallback, description, limits)
/** The same, or the word `unlimited`: infinite. */
export const rateOrUnlimited = (fallback: string, description: string, { min }: { readonly min: number }) =>
  z.codec(written(UNLIMITED.refusal), z.custom<number>((value) => typeof value === 'number'), {
    decode (given, context) {
      const rate = UNLIMITED.parse(String(given).trim()) ?? refuse(context, given, UNLIMITED.refusal)
      return rate >= min ? rate : refuse(context, given, `is too small; write ${formatRate(min)} or more`)
    },
    encode: UNLIMITED.format
  }).prefault(fallback).meta({ description })
/** Milliseconds. */
export const duration = (fallback: string, description: string, limits?: Limits) =>
  measure(DURATION, fallback, description, limits)
/** 0 to 1. */
export const share = (fallback: string, description: string, limits?: Limits) =>
  measure(SHARE, fallback, description, limits)
export const count = (fallback: number, description: string, limits?: Limits) =>
  measure(COUNT, fallback, description, limits)
export const address = (fallback: string, description: string) =>
  z.codec(written(ADDRESS.refusal), z.custom<Address>(), coding(ADDRESS)).prefault(fallback).meta({ description })
export const optionalAddress = (description: string, whenNull: string) =>
  z.codec(written(ADDRESS.refusal), z.custom<Address>(), coding(ADDRESS)).nullable().prefault(null)
    .meta({ description, whenNull })
export const flag = (fallback: boolean, description: string) =>
  z.codec(z.union([z.boolean(), z.string()], { error: () => FLAG.refusal }), z.boolean(), coding(FLAG))
    .prefault(fallback).meta({ description })

/** `true`, `false`, or the one word that leaves the choice to us. */
export const flagOr = <const Word extends string>(word: Word, description: string) =>
  z.codec(z.union([z.boolean(), z.string()], { error: () => flagRefusal(word) }),
    z.union([z.boolean(), z.literal(word)]), {
      decode: (given, context) => given === word
        ? word
        : FLAG.parse(String(given)) ?? refuse(context, given, flagRefusal(word)),
      encode: (value) => value
    }).prefault(word).meta({ description })

const flagRefusal = (word: string) => `is neither true, false nor ${word}`

/** One of a few words; `later` are those that a version to come will know. */
export function choice<const Word extends string> (
  words: readonly Word[], description: string, later: readonly string[] = []
) {
  const fallback: Word | undefined = words[0]
  if (fallback === undefined) throw new Error('a choice of nothing')
  const error = ({ input }: { input?: unknown }) => typeof input === 'string' && later.includes(input)
    ? `is not built yet in this version; remove it, or write ${words.join(' or ')}`
    : `is not known here; write ${words.join(' or ')}`
  return z.enum(words, { error }).prefault(fallback).meta({ description })
}

/** Which texts are taken, and the predicate that says so of one that is not. */
export interface Form {
  readonly pattern: RegExp
  readonly refusal: string
}

export const text = (fallback: string, description: string, form?: Form) =>
  words(form).prefault(fallback).meta({ description })

/** What a null stands for is said in `whenNull`, for the example and for `config print`. */
export const optionalText = (description: string, whenNull: string, form?: Form) =>
  words(form).nullable().prefault(null).meta({ description, whenNull })

/** Never printed, never a flag: other users of a machine read the arguments of every process. */
export const secret = (description: string, whenNull: string) =>
  words().nullable().prefault(null).meta({ description, whenNull, writeOnly: true })

/** A list in a file; from the environment or a flag, words with commas between them. */
export const list = (fallback: readonly string[], description: string, { pattern, refusal }: Form) =>
  z.codec(z.union([z.string(), z.array(z.string())], { error: () => refusal }), z.array(z.string()), {
    decode (given, context) {
      const items = typeof given === 'string' ? given.split(',').map((one) => one.trim()) : given
      if (items.length > 0 && items.every((one) => pattern.test(one))) return items
      return refuse(context, given, refusal)
    },
    encode: (items) => items
  }).prefault([...fallback]).meta({ description })

/** A name that a later version fills. It may stand in a file where it says "off", and nothing else. */
export const later = () =>
  z.unknown().refine(isOff, { error: 'is not built yet in this version; remove it' }).optional()
    .meta({ description: 'Not built yet in this version.', notBuilt: true })

function measure (
  notation: Notation<number, string | number>, fallback: string | number, description: string,
  limits: Limits = {}
) {
  const { refusal, format } = notation
  const { min = 0, max = Number.MAX_SAFE_INTEGER, above = -1 } = limits
  const value = z.number()
    .min(min, { error: `is too small; write ${format(min)} or more` })
    .gt(above, { error: `is too small; write more than ${format(above)}` })
    .max(max, { error: `is too large; write ${format(max)} or less` })
  return z.codec(written(refusal), value, coding(notation)).prefault(fallback).meta({ description })
}

const written = (refusal: string) => z.union([z.string(), z.number()], { error: () => refusal })

const ANY: Form = { pattern: /[^]/, refusal: 'is empty; remove it or fill it in' }

const words = ({ pattern, refusal }: Form = ANY) =>
  z.string({ error: () => 'is not text; put it in quotes' }).regex(pattern, { error: refusal })

function coding<Value, Text> ({ refusal, parse, format }: Notation<Value, Text>) {
  return {
    decode: (given: string | number | boolean, context: z.core.ParsePayload): Value =>
      parse(String(given).trim()) ?? refuse(context, given, refusal),
    encode: (value: Value) => format(value)
  }
}

function refuse (context: z.core.ParsePayload, input: unknown, message: string): never {
  context.issues.push({ code: 'custom', message, input })
  return z.NEVER
}

function isOff (value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === false) return true
  return typeof value === 'object' && Object.values(value).every(isOff)
}
