import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { guardedTcp } from '../broker/guarded-tcp.ts'
import { Wire } from '../broker/wire.ts'
import { eventually } from './helpers/eventually.ts'

/** A listener, and a socket that is connected to it. */
async function connected (t: TestContext, path?: string): Promise<{ accepted: Socket, peer: Socket }> {
  const server = createServer(guardedTcp).listen(path === undefined ? { port: 0, host: '127.0.0.1' } : { path })
  await once(server, 'listening')
  t.after(() => { server.close() })
  const connection = once(server, 'connection')
  const peer = path === undefined ? connect((server.address() as AddressInfo).port, '127.0.0.1') : connect(path)
  t.after(() => { peer.destroy() })
  const [accepted] = await connection as [Socket]
  return { accepted, peer }
}

/** Reads all that is sent in rooms of every size, and stops now and then until it is told to go on. */
async function carries (accepted: Socket, peer: Socket): Promise<void> {
  const sent = randomBytes(3_000_000)
  const received: Buffer[] = []
  let reads = 0
  let isPaused = false
  let room = Buffer.alloc(0)
  const wire = new Wire(accepted, {
    room: () => { room = Buffer.alloc(1 + reads * 977 % 100_000); return room },
    received: (bytes) => {
      assert.equal(isPaused, false, 'nothing is read after a no')
      received.push(Buffer.from(room.subarray(0, bytes)))
      isPaused = ++reads % 3 === 0
      return !isPaused
    }
  })
  wire.resume()
  peer.write(sent)
  await eventually(() => {
    if (isPaused) {
      isPaused = false
      wire.resume()
    }
    return Buffer.concat(received).length === sent.length
  }, { timeoutMs: 20_000 })
  assert.ok(Buffer.concat(received).equals(sent))
  wire.socket.write('answer')
  const [answer] = await once(peer, 'data') as [Buffer]
  assert.equal(answer.toString(), 'answer')
  const ended = once(wire.socket, 'end')
  peer.end()
  isPaused = false
  wire.resume()
  await ended
}

test('a TCP socket is read straight into the room that is given', async (t) => {
  const { accepted, peer } = await connected(t)
  await carries(accepted, peer)
  assert.equal(accepted.destroyed, true, 'its handle has another owner')
})

test('a socket of another kind is read through a copy', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-test-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  const { accepted, peer } = await connected(t, join(directory, 'wire.sock'))
  await carries(accepted, peer)
  assert.equal(accepted.destroyed, false)
})
