import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { MemoryBudget } from '../broker/budget.ts'
import { Guard } from '../broker/guard.ts'
import { guardedTcp } from '../broker/guarded-tcp.ts'
import { noTraffic, type Traffic } from '../broker/traffic.ts'
import { defaultLimits } from '../broker/limits.ts'
import { ImageMemory } from '../broker/image-memory.ts'
import { eventually } from './helpers/eventually.ts'
import { connectPacket, openRaw, publishPacket, type RawClient } from './helpers/mqtt.ts'

interface Guarded {
  readonly client: RawClient
  readonly guard: Guard
  readonly traffic: Traffic
  readonly passed: () => number
  readonly bytes: () => Buffer
}

// The guard with nobody behind it but a reader that counts.
async function guardOne (t: TestContext, budget: MemoryBudget): Promise<Guarded> {
  const server = createServer(guardedTcp).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => { server.close() })
  const accepted = once(server, 'connection')
  const client = await openRaw(t, (server.address() as AddressInfo).port)
  const [socket] = await accepted as [Socket]
  const memory = new ImageMemory(1e6)
  const traffic = noTraffic()
  const deps = { socket, acceptedAt: performance.now(), budget, memory, traffic, report: () => {} }
  const guard = new Guard(deps, { ...defaultLimits, packetBytesMax: 8_000_000 })
  const chunks: Buffer[] = []
  guard.stream.on('data', (chunk: Buffer) => { chunks.push(chunk) })
  const bytes = (): Buffer => Buffer.concat(chunks)
  return { client, guard, traffic, bytes, passed: () => bytes().length }
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

test('a publish that waits for memory is read no further than one small read with its header', async (t) => {
  const budget = new MemoryBudget(1e6)
  const other = budget.request(1e6, () => {})
  const { client, guard, traffic, passed, bytes } = await guardOne(t, budget)
  const connect = connectPacket()
  client.send(connect)
  await eventually(() => passed() === connect.length)
  guard.admit()
  const publish = publishPacket({ topic: 'devices/cam-1/images', payload: randomBytes(1_000_000) })
  client.send(publish)
  await eventually(() => budget.levels.waiting === 1)
  await delay(50) // for what must not happen
  assert.ok(traffic.receivedBytes <= connect.length + 4096, `${traffic.receivedBytes} bytes were read`)
  other.release()
  await eventually(() => passed() === connect.length + publish.length)
  assert.ok(bytes().equals(Buffer.concat([connect, publish])))
  assert.ok(bytes().equals(Buffer.concat([connect, publish])))
})
