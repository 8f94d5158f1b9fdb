import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { MemoryBudget } from '../broker/budget.ts'
import { Guard, guardedTcp } from '../broker/guard.ts'
import { defaultLimits } from '../broker/limits.ts'
import { eventually } from './helpers/eventually.ts'
import { connectPacket, openRaw, publishPacket, type RawClient } from './helpers/mqtt.ts'

interface Guarded {
  readonly client: RawClient
  readonly guard: Guard
  /** The broker's end. */
  readonly socket: Socket
  readonly passed: () => number
}

// The guard with nobody behind it but a reader that counts.
async function guardOne (t: TestContext, budget: MemoryBudget): Promise<Guarded> {
  const server = createServer(guardedTcp).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => { server.close() })
  const accepted = once(server, 'connection')
  const client = await openRaw(t, (server.address() as AddressInfo).port)
  const [socket] = await accepted as [Socket]
  const deps = { socket, budget, traffic: { receivedBytes: 0, sentBytes: 0 }, report: () => {} }
  const guard = new Guard(deps, { ...defaultLimits, packetBytesMax: 8_000_000 })
  let passed = 0
  guard.stream.on('data', (chunk: Buffer) => { passed += chunk.length })
  return { client, guard, socket, passed: () => passed }
}

test('what follows CONNECT is passed on only when the client is admitted', async (t) => {
  const { client, guard, passed } = await guardOne(t, new MemoryBudget(1e6))
  const connect = connectPacket()
  const publish = publishPacket({ topic: 'devices/cam-1/images', payload: Buffer.alloc(100_000) })
  client.send(connect, publish)
  await eventually(() => passed() > 0)
  await delay(50) // for what must not happen
  assert.equal(passed(), connect.length)
  guard.admit()
  await eventually(() => passed() === connect.length + publish.length)
})

test('a publish that waits for memory is read no further than the chunk its header came in', async (t) => {
  const budget = new MemoryBudget(1e6)
  const other = budget.request(1e6, () => {})
  const { client, guard, socket, passed } = await guardOne(t, budget)
  const connect = connectPacket()
  client.send(connect)
  await eventually(() => passed() === connect.length)
  guard.admit()
  const publish = publishPacket({ topic: 'devices/cam-1/images', payload: Buffer.alloc(1_000_000) })
  client.send(publish)
  await eventually(() => budget.levels.waiting === 1)
  await delay(50) // for what must not happen
  assert.ok(socket.bytesRead <= connect.length + 65_536, `${socket.bytesRead} bytes were read`)
  assert.equal(socket.readableLength, 0)
  other.release()
  await eventually(() => passed() === connect.length + publish.length)
})
