// Packets of MQTT 3.1.1, and whatever else a test wants to put on the wire.

export type Part = Buffer | number | string

/** A number is one byte; a string has its length before it. */
function bytesOf (part: Part): Buffer {
  if (typeof part === 'number') return Buffer.of(part)
  return typeof part === 'string' ? sized(Buffer.from(part)) : part
}

export function sized (bytes: Buffer): Buffer {
  return Buffer.concat([uint16(bytes.length), bytes])
}

export function uint16 (value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff)
}

/** With its remaining length. */
export function packet (firstByte: number, ...parts: readonly Part[]): Buffer {
  const body = Buffer.concat(parts.map(bytesOf))
  const length: number[] = []
  for (let left = body.length; length.length === 0 || left > 0; left >>= 7) {
    length.push(left & 0x7f | (left > 0x7f ? 0x80 : 0))
  }
  return Buffer.concat([Buffer.from([firstByte, ...length]), body])
}

export interface Connect {
  readonly name?: Part
  readonly level?: number
  /** Added to clean session. */
  readonly flags?: number
  readonly clean?: boolean
  readonly keepAlive?: number
  readonly id?: Part
  /** Behind the client id. */
  readonly fields?: readonly Part[]
}

export function connect (options: Connect): Buffer {
  const { name = 'MQTT', level = 4, flags = 0, clean = true, keepAlive = 0, id = '', fields = [] } = options
  return packet(0x10, name, level, flags | (clean ? 2 : 0), uint16(keepAlive), id, ...fields)
}

/** Flags and fields of a CONNECT with a will. */
export function will (topic: Part, message: string, { qos = 0, retain = false } = {}): Pick<Connect, 'flags' | 'fields'> {
  return { flags: 4 | qos << 3 | (retain ? 0x20 : 0), fields: [topic, message] }
}

export interface Publish {
  readonly topic: Part
  readonly payload?: string
  readonly qos?: number
  readonly id?: number
  readonly retain?: boolean
  readonly dup?: boolean
}

export function publish ({ topic, payload = '', qos = 0, id = 1, retain = false, dup = false }: Publish): Buffer {
  const firstByte = 0x30 | (dup ? 8 : 0) | qos << 1 | (retain ? 1 : 0)
  return packet(firstByte, topic, ...qos === 0 ? [] : [uint16(id)], Buffer.from(payload))
}

type Asked = ReadonlyArray<readonly [filter: Part, qos: number]>

export function subscribe (id: number, filters: Readonly<Record<string, number>> | Asked): Buffer {
  const list = Array.isArray(filters) ? filters as Asked : Object.entries(filters)
  return packet(0x82, uint16(id), ...list.flat())
}

export function unsubscribe (id: number, ...filters: readonly Part[]): Buffer {
  return packet(0xa2, uint16(id), ...filters)
}

export const connack = (code: number, present = false): Buffer => packet(0x20, present ? 1 : 0, code)
export const puback = (id: number): Buffer => packet(0x40, uint16(id))
export const pubrec = (id: number): Buffer => packet(0x50, uint16(id))
export const pubrel = (id: number): Buffer => packet(0x62, uint16(id))
export const pubcomp = (id: number): Buffer => packet(0x70, uint16(id))
export const suback = (id: number, ...codes: readonly number[]): Buffer => packet(0x90, uint16(id), ...codes)
export const unsuback = (id: number): Buffer => packet(0xb0, uint16(id))
export const pingreq = packet(0xc0)
export const pingresp = packet(0xd0)
export const disconnect = packet(0xe0)

/** A PUBLISH as it came. */
export interface Delivery {
  readonly topic: string
  readonly payload: string
  readonly qos: number
  readonly retain: boolean
  readonly dup: boolean
  /** 0 where there is none. */
  readonly id: number
}

export function readPublish (bytes: Buffer): Delivery {
  const firstByte = bytes.readUInt8(0)
  if (firstByte >> 4 !== 3) throw new Error(`no PUBLISH came, but ${bytes.toString('hex')}`)
  let at = 1
  while (bytes.readUInt8(at) > 0x7f) at++
  const end = at + 3 + bytes.readUInt16BE(at + 1)
  const qos = firstByte >> 1 & 3
  return {
    topic: bytes.toString('utf8', at + 3, end),
    payload: bytes.toString('utf8', qos > 0 ? end + 2 : end),
    qos,
    retain: (firstByte & 1) === 1,
    dup: (firstByte & 8) === 8,
    id: qos > 0 ? bytes.readUInt16BE(end) : 0
  }
}

/** The first whole packet of what came; undefined where there is none yet. */
export function firstPacket (bytes: Buffer): Buffer | undefined {
  let [length, at] = [0, 1]
  for (let shift = 0; ; shift += 7, at++) {
    const part = bytes[at]
    if (part === undefined) return undefined
    length += (part & 0x7f) << shift
    if (part <= 0x7f) break
  }
  return bytes.length < at + 1 + length ? undefined : bytes.subarray(0, at + 1 + length)
}
