import { writeToStream } from 'mqtt-packet'

/** MQTT 3.1.1, 3.3, in parts; those of the payload are not copied. */
export function formatPublish ({ topic, payload, id, isDup }: {
  readonly topic: string
  readonly payload: readonly Buffer[]
  readonly id: number
  readonly isDup: boolean
}): readonly Buffer[] {
  const parts: Buffer[] = []
  const collect = (part: Buffer | string) => parts.push(typeof part === 'string' ? Buffer.from(part) : part)
  const stream = { write: collect } as unknown as NodeJS.WritableStream // all that mqtt-packet uses of it
  // The last part is the payload; of this one only its length is used.
  const standIn = emptyBytes(payload.reduce((sum, { length }) => sum + length, 0))
  writeToStream({ cmd: 'publish', topic, payload: standIn, qos: 1, dup: isDup, retain: false, messageId: id }, stream)
  return [Buffer.concat(parts.slice(0, -1)), ...payload]
}

let empty = Buffer.alloc(0)

/** Never written to, so that all share it. */
function emptyBytes (length: number): Buffer {
  if (empty.length < length) empty = Buffer.alloc(length)
  return empty.subarray(0, length)
}
