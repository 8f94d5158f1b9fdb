// What more than one panel asks for.

import { level, rate } from '../queries.ts'

/** Images in our custody that are still to go. */
export const backlog = level('spoolMessages', { state: { not: 'failed' } })

const growth = `(${rate('ingestBytes')} - ${rate('uploadBytes')})`
const waitingBytes = level('spoolBytes', { state: { not: 'failed' } })
const roomBytes = `(${level('spoolLimit')} - ${level('spoolDiskUsed')})`

/**
 * Seconds until the spool is full while it grows, until the backlog is gone while it shrinks. One
 * series, named by its label `until`; none while nothing moves, when there is nothing to forecast.
 */
export const forecast =
  `label_replace(${roomBytes} / (${growth} > 0), "until", "the spool is full", "", "") or ` +
  `label_replace(${waitingBytes} / (-1 * ${growth} > 0), "until", "the backlog is gone", "", "")`
