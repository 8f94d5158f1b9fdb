import { formatDistribution, sizesOf } from '../scenario/distribution.ts'
import type { Group } from '../scenario/scenario.ts'
import { createRandom } from '../random.ts'
import { createImageSource, type ImageSource } from './image-source.ts'
import { readPhotos } from './photos.ts'
import { paintScenes } from './scenes.ts'

/** A device meets a few scenes of each size. */
const SCENES_PER_SIZE = 2

/** The images of a group: photos where it has a folder of them, else scenes of its sizes. */
export async function openImages (
  { images, size, count }: Pick<Group, 'images' | 'size' | 'count'>, seed: number
): Promise<ImageSource> {
  if (images !== undefined) return await readPhotos(images)
  const [only = 0, ...others] = sizesOf(size)
  if (others.length === 0) return await paintScenes({ size: only, devices: count, seed })
  const sources: ImageSource[] = []
  for (const [at, each] of [only, ...others].entries()) {
    sources.push(await paintScenes({ size: each, devices: Math.min(count, SCENES_PER_SIZE), seed: seed + at }))
  }
  return createImageSource(`generated JPEGs of ${formatDistribution(size)}, each with its label`, (mark, deviceIndex) => {
    const at = Math.floor(createRandom(deviceIndex * 65_537 + mark.number + seed)() * sources.length)
    const source = sources[at]
    if (source === undefined) throw new Error('no scene was painted')
    return source.parts(mark, deviceIndex)
  })
}
