// How it stands, in one word and one sentence with numbers: what an operator reads first at 3 a.m.

import {
  formatBytes, formatCount, formatImages, formatLine, formatLineOf, formatPace, formatPercent, formatSpan
} from './amounts.ts'
import type { Ledger } from './entry.ts'
import type { Pace } from './rates.ts'
import type { Facts, Forecast } from './status.ts'

export type VerdictWord =
  'NOT ACCEPTING' | 'STORAGE ERROR' | 'UPLINK DOWN' | 'UPLOADS PAUSED' | 'FALLING BEHIND' | 'CATCHING UP' | 'KEEPING UP'

export interface Verdict {
  readonly word: VerdictWord
  /** Begins with the word. */
  readonly sentence: string
}

/** Exactly one, the first that holds: what stops devices, then what stops uploads, then which way the backlog goes. */
export function judge (facts: Facts, forecast: Forecast): Verdict {
  const said = notAccepting(facts) ?? storageError(facts) ?? uplinkDown(facts, forecast) ??
    uploadsPaused(facts, forecast) ?? behind(facts, forecast) ?? keepingUp(facts)
  return { word: said.word, sentence: `${said.word}: ${said.parts.join(' ')}` }
}

interface Said {
  readonly word: VerdictWord
  readonly parts: readonly string[]
}

function notAccepting (facts: Facts): Said | undefined {
  const { spool, isStopping } = facts
  const word = 'NOT ACCEPTING'
  if (isStopping || spool.paused?.reason === 'shutdown') {
    return { word, parts: ['shutting down.', `${remaining(facts)} on disk and will be uploaded after the next start.`] }
  }
  const devicesKeep = 'Devices keep their images and send them again.'
  switch (spool.paused?.reason) {
    case undefined:
    case 'storage_error':
      return undefined
    case 'spool_full': {
      const full = `the spool is full (${formatBytes(spool.usedBytes)} of ${formatBytes(spool.limitBytes)}).`
      return { word, parts: [full, devicesKeep, `${waiting(facts)}.`, line(facts), kept(facts)] }
    }
    case 'disk_low': {
      const full = `the disk is nearly full (${formatBytes(spool.diskFreeBytes)} free).`
      return { word, parts: [full, devicesKeep, `${waiting(facts)}.`, line(facts), kept(facts)] }
    }
  }
}

function storageError (facts: Facts): Said | undefined {
  const { spool, flow, ledger } = facts
  const word = 'STORAGE ERROR'
  if (spool.paused !== undefined) {
    const devicesKeep = 'No image is acknowledged; devices keep theirs and send them again.'
    return { word, parts: [`${spool.paused.detail}.`, devicesKeep, `${waiting(facts)}.`] }
  }
  if (flow.lastFault !== undefined) {
    const faults = `${formatCount(flow.faults)} ${flow.faults === 1 ? 'fault' : 'faults'} of the spool in the last minute`
    const { operation, detail } = flow.lastFault
    const cause = `(${operation}: ${detail}).`
    return { word, parts: [faults, cause, 'Images are taken all the same.', `${waiting(facts)}.`, kept(facts)] }
  }
  const known = accountedFor(ledger)
  if (known === ledger.acknowledged) return undefined
  const sum = `the ledger does not add up: ${formatCount(ledger.acknowledged)} acknowledged, ${formatCount(known)} accounted for.`
  return { word, parts: [sum] }
}

function uplinkDown (facts: Facts, { fullInSeconds }: Forecast): Said | undefined {
  const { uplink: { state }, limit, now } = facts
  if (state.kind === 'up') return undefined
  const why = state.detail.includes(state.reason) ? state.detail : `${state.reason}: ${state.detail}`
  const cause = `nothing could be uploaded for ${formatSpan((now - state.since) / 1000)} (${why});`
  const next = limit.paused !== undefined
    ? 'uploads are paused, and it is not tried before they go on.'
    : state.retryAt <= now ? 'trying now.' : `next try in ${formatSpan((state.retryAt - now) / 1000)}.`
  const room = fullInSeconds === undefined ? '' : `, with room for about ${formatSpan(fullInSeconds)} more`
  return { word: 'UPLINK DOWN', parts: [cause, next, `${waiting(facts)}${room}.`, kept(facts)] }
}

/** By an operator, or by the timetable. */
function uploadsPaused (facts: Facts, { fullInSeconds }: Forecast): Said | undefined {
  const { limit: { paused, since, reason }, uplink: { uploading }, now } = facts
  if (paused === undefined) return undefined
  const span = since === undefined ? undefined : formatSpan(Math.max(0, now - since) / 1000)
  const who = paused === 'operator'
    ? `an operator paused them${span === undefined ? '' : ` ${span} ago`}${reason === undefined ? '' : ` (${reason})`}`
    : `the timetable has had them off${span === undefined ? '' : ` for ${span}`}`
  const underWay = uploading.size === 0 ? [] : [`What is under way (${formatImages(uploading.size)}) is let through.`]
  const room = fullInSeconds === undefined ? '' : `, with room for about ${formatSpan(fullInSeconds)} more`
  const parts = [`${who},${untilOf(facts)}.`, ...underWay, `${waiting(facts)}${room}.`, kept(facts)]
  return { word: 'UPLOADS PAUSED', parts }
}

function untilOf ({ limit: { until }, now }: Facts): string {
  return until === undefined ? ' until they are resumed' : ` and for another ${formatSpan(Math.max(0, until - now) / 1000)}`
}

/** More than the target behind: growing, or shrinking. */
function behind (facts: Facts, { emptyInSeconds, fullInSeconds }: Forecast): Said | undefined {
  const { spool: { oldestReceivedAt }, now, flow, targetMs } = facts
  if (oldestReceivedAt === undefined || now - oldestReceivedAt <= targetMs) return undefined
  const isFullFirst = fullInSeconds !== undefined && fullInSeconds < (emptyInSeconds ?? Infinity)
  if (emptyInSeconds !== undefined && !isFullFirst) {
    const empty = `${waiting(facts)}; empty in about ${formatSpan(emptyInSeconds)}.`
    return { word: 'CATCHING UP', parts: [empty, ...thinLine(facts), kept(facts)] }
  }
  const pace = `${moving(flow.in, 'come in')} and ${goingOut(facts)}.`
  const oldest = `${waiting(facts)}, the oldest for ${formatSpan((now - oldestReceivedAt) / 1000)}.`
  const full = fullInSeconds === undefined ? [] : [`The spool is full in about ${formatSpan(fullInSeconds)}.`]
  return { word: 'FALLING BEHIND', parts: [pace, oldest, ...thinLine(facts), ...full, kept(facts)] }
}

/** A large image takes longer than the minute that is looked at, and is on its way all the same. */
function goingOut ({ flow, uplink: { uploading }, sentBytesPerSecond }: Facts): string {
  if (flow.out.imagesPerSecond > 0 || uploading.size === 0 || sentBytesPerSecond === 0) return moving(flow.out, 'go out')
  return `none is up yet of ${formatImages(uploading.size)} that ${uploading.size === 1 ? 'goes' : 'go'} out ` +
    `at ${formatLine(sentBytesPerSecond)}`
}

function moving ({ imagesPerSecond, bytesPerSecond }: Pace, verb: 'come in' | 'go out'): string {
  if (imagesPerSecond === 0) return `none ${verb}`
  const pace = formatPace(imagesPerSecond)
  if (pace === '0') return `${formatLine(bytesPerSecond)} of images ${verb}`
  return `${pace} images/s (${formatLine(bytesPerSecond)}) ${verb}`
}

function keepingUp (facts: Facts): Said {
  const { ledger, spool: { oldestReceivedAt, waiting: backlog }, now } = facts
  const word = 'KEEPING UP'
  if (ledger.acknowledged === 0) return { word, parts: ['no image has come yet.'] }
  if (backlog.count === 0) {
    return { word, parts: [`nothing waits; ${formatImages(ledger.uploaded)} went to the store.`, kept(facts)] }
  }
  const oldest = oldestReceivedAt === undefined
    ? ''
    : `, the oldest for ${formatSpan(Math.max(0, now - oldestReceivedAt) / 1000)}`
  return { word, parts: [`${waiting(facts)}${oldest}.`, line(facts), kept(facts)] }
}

/** 304 MB of images, whoever is sending them just now: uploading and retrying ones wait, too. */
function waiting ({ spool }: Facts): string {
  const { count, bytes } = spool.waiting
  if (count === 0) return 'Nothing waits'
  return `${formatImages(count)} (${formatBytes(bytes)}) ${count === 1 ? 'waits' : 'wait'}`
}

function remaining ({ spool }: Facts): string {
  const { count, bytes } = spool.waiting
  if (count === 0) return 'No image stays'
  return `${formatImages(count)} (${formatBytes(bytes)}) ${count === 1 ? 'stays' : 'stay'}`
}

function line ({ uplink, limit, sentBytesPerSecond }: Facts): string {
  if (uplink.state.kind === 'down') return `The uplink is down (${uplink.state.reason}).`
  if (limit.paused !== undefined) return 'Uploads are paused.'
  if (limit.bytesPerSecond === Infinity) return 'The uplink has no limit.'
  const used = limit.bytesPerSecond > 0 ? sentBytesPerSecond / limit.bytesPerSecond : 0
  return [`${formatPercent(used)} of the allowance is used.`, ...thinLine({ uplink })].join(' ')
}

/** `The line carries 3.1 of 38 Mbit/s allowed.`, where it is the line that limits. */
function thinLine ({ uplink: { carriedBytesPerSecond, bytesPerSecond } }: Pick<Facts, 'uplink'>): readonly string[] {
  if (carriedBytesPerSecond === undefined || carriedBytesPerSecond >= bytesPerSecond) return []
  return [`The line carries ${formatLineOf(carriedBytesPerSecond, bytesPerSecond)} allowed.`]
}

/** The promise, and what qualifies it. */
function kept ({ ledger }: Facts): string {
  const failed = ledger.failed === 0
    ? []
    : [`${formatImages(ledger.failed)} would not upload and ${ledger.failed === 1 ? 'is' : 'are'} kept.`]
  const dropped = ledger.dropped === 0
    ? ['Nothing lost.']
    : [`Nothing lost but the ${formatImages(ledger.dropped)} an operator deleted.`]
  return [...failed, ...dropped].join(' ')
}

/** The ledger is exact where this is what was acknowledged: computed, never assumed. */
export function accountedFor ({ uploaded, waiting, failed, dropped }: Ledger): number {
  return uploaded + waiting + failed + dropped
}
