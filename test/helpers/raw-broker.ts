import { createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { generate, parser, type IConnectPacket, type IPublishPacket } from 'mqtt-packet'
import { listen } from './line.ts'

/** One connection, as a broker sees it on the wire. */
export interface RawConnection {
  readonly socket: Socket
  readonly connect: IConnectPacket
  readonly publishes: IPublishPacket[]
  /** Bytes of a packet that has not come to its end. */
  pendingBytes (): number
  isEnded: boolean
  /** Whether it said DISCONNECT. */
  isDisconnected: boolean
}

/** A broker that lets everybody in and writes down every packet; PUBACKs what `acks` says. */
export async function startRawBroker (
  t: TestContext, acks: (publish: IPublishPacket, connection: RawConnection) => boolean = () => true
): Promise<{ readonly port: number, readonly connections: readonly RawConnection[] }> {
  const connections: RawConnection[] = []
  const { port } = await listen(t, createServer((socket) => {
    const packets = parser({ protocolVersion: 4 })
    let connection: RawConnection | undefined
    let bytes = 0
    let parsed = 0
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      packets.parse(chunk)
    })
    socket.on('close', () => { if (connection !== undefined) connection.isEnded = true })
    packets.on('packet', (packet) => {
      parsed += (packet.length ?? 0) + 1 + String(packet.length ?? 0).length // about: fixed header and its length
      if (packet.cmd === 'connect') {
        const pendingBytes = (): number => bytes - parsed
        connection = { socket, connect: packet, publishes: [], pendingBytes, isEnded: false, isDisconnected: false }
        connections.push(connection)
        socket.write(generate({ cmd: 'connack', returnCode: 0, sessionPresent: false }))
      }
      if (packet.cmd === 'publish' && connection !== undefined) {
        connection.publishes.push(packet)
        if (acks(packet, connection)) socket.write(generate({ cmd: 'puback', messageId: packet.messageId ?? 0 }))
      }
      if (packet.cmd === 'disconnect') {
        if (connection !== undefined) connection.isDisconnected = true
        socket.end()
      }
    })
  }))
  return { port, connections }
}
