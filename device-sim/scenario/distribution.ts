import { createRandom } from '../random.ts'
import { parseSizeBytes } from '../units.ts'

/** Of the sizes of images, in bytes. */
export type Distribution =
  | { readonly kind: 'fixed', readonly bytes: number }
  | { readonly kind: 'normal', readonly mean: number, readonly deviation: number }
  | { readonly kind: 'uniform', readonly least: number, readonly most: number }

/** `250KB`, `normal(250KB,40KB)`, `uniform(100KB,400KB)`, or plain bytes. */
export function parseDistribution (text: string): Distribution | undefined {
  const call = /^(normal|uniform)\(([^,]+),([^,]+)\)$/.exec(text)
  if (call === null) {
    const bytes = parseSizeBytes(text)
    return bytes === undefined ? undefined : { kind: 'fixed', bytes }
  }
  const [first, second] = [parseSizeBytes(call[2] ?? ''), parseSizeBytes(call[3] ?? '')]
  if (first === undefined || second === undefined) return undefined
  if (call[1] === 'normal') return { kind: 'normal', mean: first, deviation: second }
  return first <= second ? { kind: 'uniform', least: first, most: second } : undefined
}

export function formatDistribution (distribution: Distribution): string {
  switch (distribution.kind) {
    case 'fixed': return `${distribution.bytes} bytes`
    case 'normal': return `normal(${distribution.mean}, ${distribution.deviation}) bytes`
    case 'uniform': return `uniform(${distribution.least}, ${distribution.most}) bytes`
  }
}

const STRATA = 16
const SAMPLES = 256

/** Sizes that stand for the whole distribution, each as likely as every other; one where it is fixed. */
export function sizesOf (distribution: Distribution): readonly number[] {
  switch (distribution.kind) {
    case 'fixed':
      return [distribution.bytes]
    case 'uniform': {
      const { least, most } = distribution
      return Array.from({ length: STRATA }, (_, index) => Math.round(least + (most - least) * (index + 0.5) / STRATA))
    }
    case 'normal': {
      const { mean, deviation } = distribution
      const normals = drawNormals(STRATA * SAMPLES)
      return Array.from({ length: STRATA }, (_, index) =>
        Math.round(mean + deviation * (normals[index * SAMPLES + SAMPLES / 2] ?? 0)))
    }
  }
}

/** Standard normal numbers in ascending order, by Box and Muller. */
function drawNormals (count: number): readonly number[] {
  const random = createRandom(1)
  return Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()))
    .sort((a, b) => a - b)
}
