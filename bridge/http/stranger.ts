import { parseDeviceId, parseImageId } from '../../broker/topics.ts'
import type { Life } from '../lives.ts'
import type { HttpDeps } from './deps.ts'
import { formatStranger } from './life-json.ts'
import { problem } from './problem.ts'
import type { Reply } from './reply.ts'

const SEEN_MAX = 20

/** What became of an image that was offered lately and is not held: 404 all the same. Undefined where none was seen. */
export function describeStranger (name: string, lives: HttpDeps['lives']): Reply | undefined {
  const seen = findLives(name, lives).slice(0, SEEN_MAX)
  for (const life of seen) {
    const notTaken = life.events.flatMap((one) => one.kind === 'refused' || one.kind === 'withheld' ? [one] : [])
    const last = notTaken.at(-1)
    if (last === undefined) continue
    const sent = `${life.deviceId}:${life.imageId} came at ${new Date(last.at).toISOString()} and was`
    const [detail, hint] = last.kind === 'refused'
      ? [`${sent} refused (${last.reason}): ${last.detail}`, 'The same would be refused again: see what the device sends.']
      : [`${sent} not taken (${last.reason}): ${last.detail}`, 'Its device keeps it and sends it again: see "sluice status".']
    const told = seen.map((one) => ({ device: one.deviceId, id: one.imageId, events: formatStranger(one) }))
    return problem('not_found', detail, { hint, members: { seen: told } })
  }
  return undefined
}

function findLives (name: string, lives: HttpDeps['lives']): readonly Life[] {
  const [first = '', second, ...more] = name.split(':')
  if (more.length > 0) return []
  const imageId = parseImageId(second ?? first)
  if (imageId === undefined) return []
  if (second === undefined) return lives.findByImageId(imageId)
  const deviceId = parseDeviceId(first)
  const life = deviceId === undefined ? undefined : lives.find({ deviceId, imageId })
  return life === undefined ? [] : [life]
}
