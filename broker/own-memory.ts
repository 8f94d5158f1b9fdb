/**
 * The payload in memory of its own, to be kept. What is read off a wire is a part of something larger: a small packet
 * lies in a block of 8 kB with others (node:buffer, poolSize), and one that is kept would keep all of it.
 */
export function inOwnMemory (payload: Buffer): Buffer {
  const { length } = payload
  if (payload.buffer.byteLength <= length * 1.25 + 64) return payload
  const own = Buffer.allocUnsafeSlow(length)
  payload.copy(own)
  return own
}
