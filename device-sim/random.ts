/** Numbers in [0, 1). */
export type Random = () => number

/** The same seed gives the same numbers on every machine: a Weyl sequence, mixed; it repeats after 2^32. */
export function createRandom (seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ state >>> 16, 0x85ebca6b)
    mixed = Math.imul(mixed ^ mixed >>> 13, 0xc2b2ae35)
    return ((mixed ^ mixed >>> 16) >>> 0) / 2 ** 32
  }
}
