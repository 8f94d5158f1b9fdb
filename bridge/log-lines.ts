// What an operator reads about each event. One line a change of state, in words; images that come and
// go as they should are told of at debug only, or a thousand cameras would write the log full.

import type { LimitedPacket } from '../broker/events.ts'
import { formatBytes, formatCount, formatImages, formatLine, formatSpan } from './amounts.ts'
import type { Entry } from './entry.ts'
import type { BridgeEvent } from './events.ts'

export type Level = 'debug' | 'info' | 'warn' | 'error'

/** Asked before `describe`, so that a line nobody wants is not made. */
export function levelOf (kind: BridgeEvent['kind']): Level {
  switch (kind) {
    case 'client-connected':
    case 'client-disconnected':
    case 'publish-received':
    case 'publish-acknowledged':
    case 'image-taken':
    case 'image-duplicate':
    case 'spool-written':
    case 'spool-read':
    case 'put-started':
    case 'put-ended':
    case 'entry-uploaded':
    case 'http-request':
      return 'debug'
    case 'spool-recovered':
    case 'intake-resumed':
    case 'entry-retried':
    case 'entry-prioritized':
    case 'entry-dropped':
    case 'uplink-up':
    case 'limit-changed':
    case 'advice-over':
    case 'backlog-waits':
    case 'config-reloaded':
      return 'info'
    case 'connect-refused':
    case 'packet-too-large':
    case 'topic-refused':
    case 'subscription-refused':
    case 'limit-reached':
    case 'caller-refused':
    case 'http-limit-reached':
    case 'image-refused':
    case 'image-withheld':
    case 'intake-paused':
    case 'spool-damaged':
    case 'entry-failed':
    case 'uplink-down':
    case 'limits-not-kept':
    case 'slo-not-kept':
    case 'operator-advised':
      return 'warn'
    case 'spool-fault':
    case 'store-fault':
      return 'error'
  }
}

export function describe (event: BridgeEvent): string {
  switch (event.kind) {
    case 'client-connected':
      return `${event.clientId} connected`
    case 'connect-refused':
      return `refused a connection from ${event.remote} (${event.result}): ${event.detail}`
    case 'client-disconnected':
      return `${event.clientId} disconnected (${event.reason})`
    case 'publish-received':
      return `received a PUBLISH with QoS ${event.qos}`
    case 'publish-acknowledged':
      return `acknowledged a PUBLISH after ${span(event.seconds)}`
    case 'packet-too-large':
      return `cut the connection of ${sender(event.clientId, event.remote)}: it announced a ${event.packet} packet ` +
        `of ${formatBytes(event.declaredBytes)}, and ${limitOf(event.packet)} ${formatBytes(event.bytesMax)}`
    case 'topic-refused':
      return `refused a PUBLISH of ${event.clientId} to ${event.topic}: ${event.detail}`
    case 'subscription-refused':
      return `refused a SUBSCRIBE of ${event.clientId} to ${event.filter}: ${event.detail}`
    case 'limit-reached':
    case 'http-limit-reached':
      return `${event.who} met a limit (${event.limit}): ${event.detail}`
    case 'caller-refused':
      return `refused ${event.route} to ${event.remote} (${event.code}): ${event.detail}`
    case 'image-taken':
      return `took ${name(event.entry)} (${formatBytes(event.entry.bytes)}, ${event.entry.contentType}) ` +
        `into custody after ${span(event.seconds)}`
    case 'image-duplicate':
      return `${name(event)} is here already`
    case 'image-refused':
      return `refused ${name(event)} (${event.reason}): ${event.detail}`
    case 'image-withheld':
      return `did not take ${name(event)}, and withheld its PUBACK (${event.reason}): ${event.detail}`
    case 'intake-paused':
      return `not accepting images (${event.reason}): ${event.detail}`
    case 'intake-resumed':
      return `accepting images again (${event.reason} is over)`
    case 'spool-written':
    case 'spool-read':
    case 'spool-fault':
    case 'spool-recovered':
    case 'spool-damaged':
      return describeSpool(event)
    case 'put-started':
    case 'put-ended':
    case 'entry-uploaded':
    case 'entry-failed':
    case 'entry-retried':
    case 'entry-prioritized':
    case 'entry-dropped':
    case 'uplink-down':
    case 'uplink-up':
      return describeUplink(event)
    case 'limit-changed':
      return describeLimit(event)
    case 'limits-not-kept':
    case 'slo-not-kept':
    case 'config-reloaded':
    case 'backlog-waits':
      return event.detail
    case 'store-fault':
      return `error in the local store: ${event.cause.message}`
    case 'operator-advised':
    case 'advice-over':
      return event.detail
    case 'http-request':
      return `${event.route} answered ${event.code} after ${span(event.seconds)}`
  }
}

type EventOf<Kind extends BridgeEvent['kind']> = Extract<BridgeEvent, { kind: Kind }>

function describeSpool (
  event: EventOf<'spool-written' | 'spool-read' | 'spool-fault' | 'spool-recovered' | 'spool-damaged'>
): string {
  switch (event.kind) {
    case 'spool-written':
      return `wrote and synced ${formatImages(event.entries)} (${formatBytes(event.bytes)}) in ${span(event.seconds)}`
    case 'spool-read':
      return `read one image back in ${span(event.seconds)}`
    case 'spool-fault':
      return `storage error in the spool (${event.operation}): ${explain(event.cause)}`
    case 'spool-recovered':
      return `spool opened in ${span(event.seconds)}: ${formatImages(event.waiting)} wait on disk` +
        (event.found > 0 ? `, ${formatCount(event.found)} of them found again after an abrupt end` : '')
    case 'spool-damaged':
      return `damaged on disk (${event.part}): ${event.detail}`
  }
}

function describeUplink (event: EventOf<
  'put-started' | 'put-ended' | 'entry-uploaded' | 'entry-failed' | 'entry-retried' | 'entry-prioritized' |
  'entry-dropped' | 'uplink-down' | 'uplink-up'>
): string {
  switch (event.kind) {
    case 'put-started':
      return `put of ${name(event.entry)} started, attempt ${event.attempt}`
    case 'put-ended':
      return `put of ${name(event.entry)} ended after ${span(event.seconds)} (${event.outcome})` +
        (event.outcome === 'stored' ? '' : `: ${event.detail}`)
    case 'entry-uploaded':
      return `uploaded ${name(event.entry)} as ${event.upload.key}, ${span(event.seconds)} after it came in`
    case 'entry-failed':
      return `set ${name(event.entry)} aside as failed (${event.failure.reason}, ` +
        `attempt ${event.failure.attempts}): ${event.failure.detail}`
    case 'entry-retried':
      return `an operator sends ${name(event.entry)} again`
    case 'entry-prioritized':
      return `an operator sends ${name(event.entry)} before all others`
    case 'entry-dropped':
      return `an operator deleted ${name(event.entry)}`
    case 'uplink-down':
      return `uplink down (${event.reason}): ${event.detail}; ` +
        `images are kept on disk, next try in ${span(event.retryInSeconds)}`
    case 'uplink-up':
      return `uplink up again after ${span(event.downSeconds)}`
  }
}

function describeLimit ({ action, bytesPerSecond, source, paused, reason, until }: EventOf<'limit-changed'>): string {
  const who = { pause: 'an operator paused uploads', resume: 'an operator resumed uploads', set_limit: 'an operator set the limit' }
  const allowed = paused === undefined ? `uploads may take ${formatLine(bytesPerSecond)}` : 'no upload is begun'
  const why = paused === 'operator' ? 'paused by an operator' : source === 'override' ? 'set by an operator' : SOURCES[source]
  const end = until === undefined ? '' : ` until ${new Date(until).toISOString()}`
  return `${action === undefined ? '' : `${who[action]}: `}${allowed}${end} (${why}${reason === undefined ? '' : `: ${reason}`})`
}

const SOURCES = { timetable: 'by the timetable', share: 'the usual share' }

/** With what is behind it: LevelDB only says that a database failed to open. */
function explain ({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}

interface Named {
  readonly deviceId: string | undefined
  readonly imageId: string | undefined
}

function name ({ deviceId = 'an unnamed device', imageId }: Named): string {
  return imageId === undefined ? `an image of ${deviceId}` : `${deviceId}/${imageId}`
}

function limitOf (packet: LimitedPacket): string {
  switch (packet) {
    case 'PUBLISH': return 'mqtt.maxPacketSize is'
    case 'CONNECT': return 'a CONNECT, with its will, may have'
    case 'control': return 'a packet that is no PUBLISH may have'
  }
}

function sender (clientId: string | undefined, remote: string): string {
  return clientId === undefined ? remote : `${clientId} (${remote})`
}

function span (seconds: number): string {
  return seconds < 1 ? `${(seconds * 1000).toFixed(0)} ms` : formatSpan(seconds)
}

/** The same as data, for a machine: the kind, what identifies the image, and everything that is plain. */
export function fieldsOf (event: BridgeEvent): Record<string, unknown> {
  const fields: Record<string, unknown> = { event: event.kind }
  for (const [key, value] of Object.entries(event)) {
    if (key === 'entry') Object.assign(fields, value === undefined ? {} : idsOf(value as Entry))
    else if (key !== 'kind') fields[key] = value instanceof Error ? value.message : value
  }
  return fields
}

function idsOf ({ deviceId, imageId, sequence, bytes }: Entry): Record<string, unknown> {
  return { deviceId, imageId, sequence, bytes }
}
