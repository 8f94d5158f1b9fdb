import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createWebSocketStream, WebSocket } from 'ws'
import type { TestBroker } from '../helpers/mqtt.ts'
import type { Checks } from './checks.ts'
import { connack, connect, firstPacket, pingreq, pingresp } from './packets.ts'
import { Peer } from './peer.ts'
import type { Transport } from './site.ts'

async function openSocket ({ broker }: TestBroker): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${broker.wsPort ?? 0}`, ['mqttv3.1', 'mqtt'], { perMessageDeflate: false })
  socket.on('error', () => {}) // cut by the broker
  await once(socket, 'open')
  return socket
}

export const webSocket: Transport = {
  name: 'WebSocket',
  open: async (broker) => createWebSocketStream(await openSocket(broker))
}

export const webSocketChecks: Checks = {
  '6.0.0-1': async (site) => {
    const socket = await openSocket(site.broker)
    let answer = Buffer.of()
    socket.on('message', (data, isBinary) => {
      assert.ok(isBinary)
      answer = Buffer.concat([answer, data as Buffer])
    })
    socket.send(connect({ id: site.name() }))
    while (firstPacket(answer) === undefined) await once(socket, 'message')
    const closed = once(socket, 'close')
    socket.send('\xc0\0')
    await closed
    assert.ok(answer.equals(connack(0)), 'a PINGREQ as text was answered')
  },
  '6.0.0-2': async (site) => {
    const socket = await openSocket(site.broker)
    const peer = new Peer(createWebSocketStream(socket))
    const bytes = connect({ id: site.name() })
    for (const byte of bytes) socket.send(Buffer.of(byte))
    await peer.admitted()
    socket.send(Buffer.concat([pingreq, pingreq, pingreq.subarray(0, 1)]))
    socket.send(pingreq.subarray(1))
    await peer.gets(pingresp, pingresp, pingresp)
  },
  '6.0.0-4': async (site) => {
    const socket = await openSocket(site.broker)
    assert.equal(socket.protocol, 'mqtt')
    socket.terminate()
  }
}
