import type { Random } from '../../device-sim/random.ts'

const TELLING = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x10, 0x30, 0x32, 0x82, 0xc0]

/** The bytes with up to `harms` of them flipped, replaced, taken out, doubled or cut off. */
export function mutate (bytes: Buffer, random: Random, harms = 3): Buffer {
  let mutated = Buffer.from(bytes)
  for (let left = Math.floor(random() * (harms + 1)); left > 0 && mutated.length > 0; left--) {
    mutated = harm(mutated, random)
  }
  return mutated
}

function harm (bytes: Buffer, random: Random): Buffer<ArrayBuffer> {
  const below = (count: number): number => Math.floor(random() * count)
  const at = below(bytes.length)
  const end = at + 1 + below(Math.min(8, bytes.length - at))
  const copy = Buffer.from(bytes)
  switch (below(6)) {
    case 0: {
      copy[at] = (copy[at] ?? 0) ^ 1 << below(8)
      return copy
    }
    case 1: {
      copy[at] = TELLING[below(TELLING.length)] ?? 0
      return copy
    }
    case 2: return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)])
    case 3: return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at, end), bytes.subarray(end)])
    case 4: return Buffer.concat([bytes.subarray(0, at), Buffer.from([below(256), below(256)]), bytes.subarray(at)])
    default: return Buffer.from(bytes.subarray(0, at))
  }
}

/** The same bytes in pieces. */
export function cut (bytes: Buffer, random: Random): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const end = random() < 0.5 ? bytes.length : at + 1 + Math.floor(random() * Math.min(40, bytes.length - at))
    pieces.push(bytes.subarray(at, end))
    at = end
  }
  return pieces
}
