// The life of one image in words: a line for each event, then what is not known, then what comes next.

import { formatBytes, formatImages, formatSpan } from '../amounts.ts'
import type { ExplainedImage } from '../http/images.ts'
import type { AttemptJson, LifeEventJson } from '../http/life-json.ts'
import type { NextJson, WaitingJson } from '../http/next.ts'
import { formatTable } from './table.ts'

export function tellLife (image: ExplainedImage): string {
  const { device, id, state, bytes, contentType, lane, prioritized, life } = image
  const first = prioritized === true ? ', put before all by an operator' : ''
  const { events, eventsLeftOut } = life
  const left = eventsLeftOut === undefined ? [] : [`${eventsLeftOut} events in between are not remembered.`]
  return [
    `${device}:${id} is ${state} (${contentType}, ${formatBytes(bytes)}, lane ${lane}${first})`,
    '',
    formatTable(events.map((one) => [one.at, nameOf(one), tellEvent(one, image)])),
    '',
    ...left,
    ...tellUnknown(life),
    tellNext(image)
  ].join('\n')
}

function nameOf (one: LifeEventJson): string {
  return one.event === 'attempt' ? `attempt ${one.attempt}` : one.event
}

function tellEvent (one: LifeEventJson, { receivedAt, life }: ExplainedImage): string {
  switch (one.event) {
    case 'received': return `${formatBytes(one.bytes)} at ${one.topic}`
    case 'synced': return `on this disk, ${span(one.seconds)} after it was here whole`
    case 'acknowledged': return `${one.by === 'mqtt' ? 'over MQTT' : 'over HTTP'}: its device may forget it`
    case 'attempt': return tellAttempt(one)
    case 'uploaded': return `as ${one.key} in ${one.bucket}, ETag ${one.etag}, ${span(one.seconds)} after it was received`
    case 'failed': {
      const isTold = life.events.some((other) => other.event === 'attempt' && other.detail === one.detail)
      return `set aside after ${times(one.attempts)} (${one.reason})${isTold ? '' : `: ${one.detail}`}`
    }
    case 'refused': return `what came under its name (${one.reason}): ${one.detail}`
    case 'withheld': return `its PUBACK (${one.reason}): ${one.detail}`
    case 'repeat': return `its device sent it again, ${sinceThen(one.at, receivedAt)}: known, and not stored twice`
    case 'retried': return 'by an operator: it waits again'
    case 'prioritized': return 'by an operator: it goes before all lanes'
    case 'dropped': return 'by an operator: its bytes here are gone'
    case 'note': return `"${one.status}" to its device`
  }
}

function tellAttempt ({ outcome, seconds, detail, bodyBytesSent }: AttemptJson): string {
  if (outcome === undefined) return 'under way'
  const sent = bodyBytesSent === undefined ? '' : `, ${formatBytes(bodyBytesSent)} of its body sent`
  const after = seconds === undefined ? '' : ` after ${span(seconds)}`
  return `${outcome}${after}${sent}${detail === undefined ? '' : `: ${detail}`}`
}

function tellUnknown ({ unknown }: ExplainedImage['life']): string[] {
  switch (unknown?.why) {
    case undefined: return []
    case 'restart':
      return [`The service was started after it came, at ${unknown.since}: when it was synced and acknowledged, ` +
        'and what was tried before, is not known any more.']
    case 'forgotten':
      return ['The service has seen many images since: when it was synced and acknowledged, ' +
        'and perhaps what was tried at first, is not remembered any more.']
  }
}

function tellNext ({ device, id, life: { next } }: ExplainedImage): string {
  const name = `${device}:${id}`
  switch (next.kind) {
    case 'stored': return 'Nothing is left to do: the store has it.'
    case 'dropped': return 'Nothing comes next: an operator gave it up.'
    case 'failed':
      return `It is kept here until somebody decides: "sluice images retry ${name}" sends it again, ` +
        `"sluice images delete ${name} --yes" gives it up.`
    case 'uploading': return tellUnderWay(next)
    case 'waiting': return [...whyWaiting(next), ...whenUp(next)].join(' ')
  }
}

function tellUnderWay ({ since, attempt }: NextJson & { kind: 'uploading' }): string {
  const which = attempt === undefined ? '' : ` in attempt ${attempt}`
  return `It is on its way to the store${which}${since === undefined ? '' : `, since ${since}`}.`
}

function whyWaiting ({ why, by, reason, detail, until, lane }: WaitingJson): string[] {
  const because = reason === undefined ? '' : ` (${reason})`
  switch (why) {
    case 'stopping': return ['The service is stopping: it stays on disk and goes after the next start.']
    case 'paused':
      if (by === 'schedule') return [`The timetable has uploads off${until === undefined ? '' : ` until ${until}`}.`]
      return [`An operator paused uploads${because}${until === undefined ? '' : ` until ${until}`}: ` +
        '"sluice uplink resume" lets them go on.']
    case 'down':
      return [`Nothing can be uploaded (${reason}: ${detail}); the store is asked again at ${until}, and then it goes by itself.`]
    case 'again': {
      const again = by === 'disk' ? 'The disk did not give it back: it is read again' : 'It is sent again by itself'
      return [until === undefined ? `${again} as soon as there is room.` : `${again} at ${until}, or soon after.`]
    }
    case 'turn': return [lane === 'prioritized' ? 'It goes before all lanes.' : `It waits for its turn in the lane ${lane}.`]
  }
}

function whenUp ({ behind, backlog, withinSeconds }: WaitingJson): string[] {
  if (backlog.count <= 1) return ['Nothing else waits.']
  const before = behind.count === 0
    ? 'None of its own device goes before it'
    : `${behind.orMore === true ? 'At least ' : ''}${formatImages(behind.count)} (${formatBytes(behind.bytes)}) of its own device ` +
      `${behind.count === 1 ? 'goes' : 'go'} before it`
  const all = `${formatImages(backlog.count)} (${formatBytes(backlog.bytes)}) ${backlog.count === 1 ? 'waits' : 'wait'} in all.`
  if (withinSeconds === undefined) return [`${before}; ${all}`]
  return [`${before}; ${all}`, `It is likely up within ${formatSpan(Math.max(1, withinSeconds))}.`]
}

function sinceThen (at: string, receivedAt: string): string {
  return `${span((Date.parse(at) - Date.parse(receivedAt)) / 1000)} later`
}

function times (count: number): string {
  return count === 1 ? '1 attempt' : `${count} attempts`
}

function span (seconds: number): string {
  return seconds < 1 ? `${Math.round(Math.max(0, seconds) * 1000)} ms` : formatSpan(seconds)
}
