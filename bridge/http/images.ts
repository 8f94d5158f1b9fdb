import type { HttpDeps } from './deps.ts'
import type { Exchange, Handler } from './exchange.ts'
import { findImage } from './find-image.ts'
import { formatImage, imageName, imageState, type ImageJson } from './image-json.ts'
import { listImages, listStates } from './image-list.ts'
import { ALL, nextPage, readImageQuery, readPage } from './image-query.ts'
import { formatPast, type PastJson } from './life-json.ts'
import type { LiveStatus } from './live-status.ts'
import { foretell, type NextJson } from './next.ts'
import { problem } from './problem.ts'
import { json, type Reply } from './reply.ts'

/** `GET /api/v1/images/{id}`: the image, and its life. */
export interface ExplainedImage extends ImageJson {
  readonly life: PastJson & { readonly next: NextJson }
}

export interface ImageHandlers {
  readonly list: Handler
  readonly listNames: Handler
  readonly show: Handler
  readonly retry: Handler
  readonly drop: Handler
}

/** What an operator, or a script, sees of the images and does with one. */
export function createImageHandlers (
  deps: HttpDeps, live: LiveStatus
): ImageHandlers {
  const { spool, uplink, lives } = deps

  async function list ({ query }: Exchange): Promise<Reply> {
    const asked = readImageQuery(query)
    if (typeof asked === 'string') return problem('bad_query', asked)
    const { levels } = uplink
    const { held, next } = await listImages(spool, levels, asked)
    const images = held.map((one) => formatImage(one, levels))
    return json(200, { images, next: nextPage('/api/v1/images', query, next) })
  }

  async function listNames ({ query }: Exchange): Promise<Reply> {
    const asked = readPage(query)
    if (typeof asked === 'string') return problem('bad_query', asked)
    const { held, next } = await listStates(spool, { ...ALL, ...asked }, ['waiting', 'failed', 'uploaded'])
    return json(200, { all_files: held.map(({ entry }) => imageName(entry)), next: nextPage('/list', query, next) })
  }

  async function show ({ id }: Pick<Exchange, 'id'>): Promise<Reply> {
    const found = await findImage(spool, id, lives)
    if (found.kind === 'not-found') return found.reply
    const { held } = found
    const next = await foretell(held, deps, live)
    const past = formatPast(held, lives.find(held.entry), lives.startedAt)
    return json(200, { ...formatImage(held, uplink.levels), life: { ...past, next } } satisfies ExplainedImage)
  }

  async function retry ({ id }: Exchange): Promise<Reply> {
    const found = await findImage(spool, id)
    if (found.kind === 'not-found') return found.reply
    const { entry } = found.held
    if (await spool.retry(entry)) return await show({ id: imageName(entry) })
    const state = imageState(found.held, uplink.levels)
    return problem('wrong_state', `only a failed image can be tried again, this one is ${state}`)
  }

  async function drop ({ id }: Exchange): Promise<Reply> {
    const found = await findImage(spool, id)
    if (found.kind === 'not-found') return found.reply
    const { entry } = found.held
    const state = imageState(found.held, uplink.levels)
    if (state === 'uploading') {
      return problem('wrong_state', 'the image is on its way to the store', { hint: 'Delete it there in a moment.' })
    }
    if (state === 'uploaded') {
      return problem('wrong_state', 'the store has the image', { hint: 'Delete it there: nothing of it is kept here.' })
    }
    await spool.drop(entry) // false where it has left meanwhile, and what is shown then says so
    return await show({ id: imageName(entry) })
  }

  return { list, listNames, show, retry, drop }
}
