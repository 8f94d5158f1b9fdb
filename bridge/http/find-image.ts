import { parseDeviceId, parseImageId } from '../../broker/topics.ts'
import type { Held } from '../entry.ts'
import type { HeldImages, HttpDeps } from './deps.ts'
import { imageName, imagePath } from './image-json.ts'
import { problem } from './problem.ts'
import type { Reply } from './reply.ts'
import { describeStranger } from './stranger.ts'

export type Found =
  | { readonly kind: 'found', readonly held: Held }
  | { readonly kind: 'not-found', readonly reply: Reply }

const NAMES_MAX = 5

/**
 * By `device:image`, or by the image's name alone where one device only has used it. With `lives`, what was offered
 * lately and not taken is told of, too.
 */
export async function findImage (
  spool: HeldImages, name: string, lives?: HttpDeps['lives']
): Promise<Found> {
  const candidates = await findCandidates(spool, name)
  const [held, ...more] = candidates
  if (held === undefined) {
    const refused = lives === undefined ? undefined : describeStranger(name, lives)
    if (refused !== undefined) return { kind: 'not-found', reply: refused }
    const detail = `no image ${JSON.stringify(name.slice(0, 200))} is known: it never came, or it left longer ago than intake.dedupWindow`
    const hint = 'Uploaded images are remembered for intake.dedupWindow; after that only the store knows them.'
    return { kind: 'not-found', reply: problem('not_found', detail, { hint }) }
  }
  if (more.length === 0) return { kind: 'found', held }
  const detail = `${candidates.length} devices have an image of that name`
  const named = candidates.map(({ entry }) => ({ device: entry.deviceId, id: entry.imageId, link: imagePath(entry) }))
  const names = candidates.slice(0, NAMES_MAX).map(({ entry }) => imageName(entry)).join(', ')
  const hint = `Name the device, too: ${names}${candidates.length > NAMES_MAX ? ', ...' : ''}.`
  return { kind: 'not-found', reply: problem('ambiguous_id', detail, { hint, members: { candidates: named } }) }
}

async function findCandidates (spool: HeldImages, name: string): Promise<readonly Held[]> {
  const [first = '', second, ...more] = name.split(':')
  if (more.length > 0) return []
  if (second === undefined) {
    const imageId = parseImageId(first)
    return imageId === undefined ? [] : await spool.findByImageId(imageId)
  }
  const [deviceId, imageId] = [parseDeviceId(first), parseImageId(second)]
  if (deviceId === undefined || imageId === undefined) return []
  const held = await spool.find(deviceId, imageId)
  return held === undefined ? [] : [held]
}
