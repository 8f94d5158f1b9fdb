// What more than one panel asks for.

import { highest, level, rate, rateOver, type Window } from '../queries.ts'

/** Images in our custody that are still to go. */
export const backlog = level('spoolMessages', { state: { not: 'failed' } })
export const waitingBytes = level('spoolBytes', { state: { not: 'failed' } })

const growth = `(${rate('ingestBytes')} - ${rate('uploadBytes')})`
const roomBytes = `clamp_min(${level('spoolLimit')} - ${level('spoolDiskUsed')}, 0)`

/** Seconds; none while the backlog does not shrink. */
export const untilEmpty = `${waitingBytes} / (-1 * ${growth} > 0)`
/** Seconds; none while the spool does not fill. */
export const untilFull = `${roomBytes} / (${growth} > 0)`

/** Both as one series, named by its label `until`; none while nothing moves, when there is nothing to forecast. */
export const forecast =
  `label_replace(${untilFull}, "until", "the spool is full", "", "") or ` +
  `label_replace(${untilEmpty}, "until", "the backlog is gone", "", "")`

/** Share of the images judged within a time that were good. */
export function goodShare (window: Window): string {
  return `${rateOver(window, 'sloMessages', { verdict: 'good' })} / (${rateOver(window, 'sloMessages')} > 0)`
}

const budget = `(1 - ${highest('sloObjective')})`

/** How many times faster than it may be the budget is used up: 1 is a month's budget in a month. */
export function burnRate (window: Window): string {
  return `(1 - ${goodShare(window)}) / ${budget}`
}

/** Share of the budget of 30 days that is left; below 0 once it is overdrawn. */
export const budgetLeft = `1 - ${burnRate('30d')}`

/** Seconds until the budget of 30 days is gone at the pace of the last hour; none while it is not touched. */
export const budgetGoneIn = `${30 * 86_400} * clamp_min(${budgetLeft}, 0) / (${burnRate('1h')} > 0)`
