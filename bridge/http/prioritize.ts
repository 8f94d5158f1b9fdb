import type { HttpDeps } from './deps.ts'
import type { Exchange, Handler } from './exchange.ts'
import { findImage } from './find-image.ts'
import { formatImage } from './image-json.ts'
import { problem } from './problem.ts'
import { json, type Reply } from './reply.ts'

/** POST /api/v1/images/{id}/prioritize: it goes next, before all lanes; several in the order in which they came. */
export function createPrioritizer (
  { spool, uplink }: Pick<HttpDeps, 'spool' | 'uplink'>
): Handler {
  return async function prioritize ({ id }: Exchange): Promise<Reply> {
    const found = await findImage(spool, id)
    if (found.kind === 'not-found') return found.reply
    const { entry, state } = found.held
    if (await spool.prioritize(entry)) {
      const now = await spool.find(entry.deviceId, entry.imageId)
      return json(200, formatImage(now ?? found.held, uplink.levels))
    }
    const hint = state === 'failed' ? { hint: 'Retry it first.' } : {}
    return problem('wrong_state', `only an image that waits can be put before others, this one is ${state}`, hint)
  }
}
