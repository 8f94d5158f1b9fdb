// A broker, as a process of its own, that PUBACKs every PUBLISH and keeps nothing, not even while it reads it.

import { createServer, type AddressInfo, type Socket } from 'node:net'

const [CONNECT, PUBLISH, PINGREQ, DISCONNECT] = [1, 3, 12, 14]

const broker = createServer((socket) => {
  let rest: Buffer = Buffer.alloc(0)
  let toSkip = 0
  let puback: Buffer | undefined
  socket.setNoDelay(true).on('error', () => {}) // a close follows
  socket.on('data', (chunk) => {
    let data: Buffer = chunk
    while (data.length > 0) {
      if (toSkip > 0) {
        const skipped = Math.min(toSkip, data.length)
        toSkip -= skipped
        data = data.subarray(skipped)
        if (toSkip === 0 && puback !== undefined) socket.write(puback)
        continue
      }
      rest = rest.length === 0 ? data : Buffer.concat([rest, data])
      const head = readHead(rest)
      if (head === undefined) return
      data = rest.subarray(head.bytes)
      rest = Buffer.alloc(0)
      toSkip = head.remaining
      puback = head.puback
      answer(head.type, socket)
      if (toSkip === 0 && puback !== undefined) socket.write(puback)
    }
  })
})

function answer (type: number, socket: Socket): void {
  if (type === CONNECT) socket.write(Buffer.of(0x20, 2, 0, 0))
  if (type === PINGREQ) socket.write(Buffer.of(0xd0, 0))
  if (type === DISCONNECT) socket.end()
}

interface Head {
  readonly type: number
  /** Of the part that was read; what remains is skipped. */
  readonly bytes: number
  readonly remaining: number
  readonly puback: Buffer | undefined
}

/** Undefined where more bytes have to come first [MQTT 3.1.1 section 2.2]. */
function readHead (bytes: Buffer): Head | undefined {
  let [length, at] = [0, 1]
  for (let more = true; more; at++) {
    const byte = bytes[at]
    if (byte === undefined) return undefined
    length += (byte & 127) * 128 ** (at - 1)
    more = byte >= 128
  }
  const type = (bytes[0] ?? 0) >> 4
  if (type !== PUBLISH) return { type, bytes: at, remaining: length, puback: undefined }
  if (bytes.length < at + 2) return undefined
  const id = at + 2 + bytes.readUInt16BE(at)
  if (bytes.length < id + 2) return undefined
  const puback = Buffer.concat([Buffer.of(0x40, 2), bytes.subarray(id, id + 2)])
  return { type, bytes: id + 2, remaining: length - (id + 2 - at), puback }
}

broker.listen(0, '127.0.0.1', () => { console.log(`listening on ${(broker.address() as AddressInfo).port}`) })
