// What may stand in a scenario or behind a flag, as people write it, turned into base units.

import * as z from 'zod'
import { parseDurationMs, parseRatePerSecond, parseShare, parseSizeBytes, parseSpeed } from '../units.ts'
import { parseBrokerUrl } from './broker-url.ts'
import { parseDistribution } from './distribution.ts'
import { want } from './problems.ts'
import { parseThreshold, THRESHOLD_HELP } from './threshold.ts'

const EVERY_MS_MIN = 10
const MESSAGE_MS_MIN = 1

function kind<T> (what: string, parse: (text: string) => T | undefined) {
  return z.union([z.string(), z.number()], { error: (issue) => want(what, issue) }).transform((value, context): T => {
    const parsed = parse(String(value).trim())
    if (parsed !== undefined) return parsed
    context.addIssue({ code: 'custom', message: `wanted ${what}` })
    return z.NEVER
  })
}

function parseInterval (text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : parseDurationMs(text)
}

function atLeast (least: number, value: number | undefined): number | undefined {
  return value === undefined || value < least ? undefined : value
}

export function whole (low: number, high: number) {
  return kind(`a whole number of ${low} to ${high}`, (text) => {
    const number = Number(text)
    return /^\d+$/.test(text) && number >= low && number <= high ? number : undefined
  })
}

/** In ms. */
export const duration = kind('a time such as 60s, 500ms or 5m', parseDurationMs)
/** In ms, between two of many: without a least one, all of them would be due at once and for ever. */
export const every = kind(`a time such as 60s, of ${EVERY_MS_MIN}ms at least`, (text) => atLeast(EVERY_MS_MIN, parseDurationMs(text)))
/** In ms; a bare number is ms, as load tools have it. */
export const interval = kind('a time such as 10ms or 30s, or a number of ms', parseInterval)
/** The same, between two images. */
export const messageInterval = kind(`a time such as 30s or a number of ms, of ${MESSAGE_MS_MIN}ms at least; ` +
  'for as fast as they are answered say --model closed', (text) => atLeast(MESSAGE_MS_MIN, parseInterval(text)))
/** A second. */
export const rate = kind('a rate such as 2/min or 0.5/s', parseRatePerSecond)
/** Connections a second; a bare number is just that. */
export const connectRate = kind('a rate such as 500/s', (text) =>
  /^\d+$/.test(text) ? Number(text) || undefined : parseRatePerSecond(text))
export const size = kind('a size such as 250KB or 1MiB', parseSizeBytes)
/** Bytes a second. */
export const speed = kind('a rate of a line such as 40Mbit', parseSpeed)
export const share = kind('a share such as 20% or 0.2', parseShare)
export const factor = kind('a factor such as 0.5 or 3', (text) => /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined)
export const sizes = kind('a size such as 250KB, normal(250KB,40KB) or uniform(100KB,400KB)', parseDistribution)
export const threshold = kind(`a condition such as 'e2e_p99<10s' or 'lost==0'; there are ${THRESHOLD_HELP}`, parseThreshold)

export const brokerUrl = kind('a URL such as mqtt://127.0.0.1:1883 or mqtts://host, in which a % of a password is written %25',
  parseBrokerUrl)

/** When something begins and how long it lasts, in ms. */
export const span = kind('when and for how long, such as 20s+10s', (text) => {
  const [at, length, ...more] = text.split('+').map(parseDurationMs)
  return at === undefined || !length || more.length > 0 ? undefined : { at, for: length }
})

/** The share of images that go as a JSON envelope. */
export const format = kind('raw, json or mix:raw=80,json=20', (text) => {
  if (text === 'raw') return 0
  if (text === 'json') return 1
  const [, raw, json] = /^mix:raw=(\d+),json=(\d+)$/.exec(text) ?? []
  const [a, b] = [Number(raw), Number(json)]
  return a + b > 0 ? b / (a + b) : undefined
})

/** Topics may name %i the device's number, %c its client id, %u its user name, %id the image, %seq its number. */
export const topicPattern = kind('a topic without wildcards, with %i, %c, %u, %id or %seq in it', (text) =>
  /^[^+#\0]+$/.test(text) ? text : undefined)
