import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ImageMemory } from '../broker/image-memory.ts'
import { eventually } from './helpers/eventually.ts'
import { connectRaw, HeldCustody, puback, publishPacket, startTestBroker } from './helpers/mqtt.ts'

test('memory that was given back is used again, once', () => {
  const memory = new ImageMemory(10_000_000)
  const first = memory.allocate(250_000)
  memory.giveBack(first.subarray(20)) // a payload is a part of its packet
  memory.giveBack(first)
  assert.equal(memory.allocate(249_000).buffer, first.buffer)
  assert.notEqual(memory.allocate(249_000).buffer, first.buffer)
})

test('what did not come from here is not taken', () => {
  const memory = new ImageMemory(10_000_000)
  memory.giveBack(Buffer.alloc(250_000))
  memory.giveBack(memory.allocate(100)) // too small to be worth it
  assert.equal(memory.idleBytes, 0)
})

test('every size fits, and an eighth at most is spare', () => {
  const memory = new ImageMemory(0)
  for (let bytes = 16 * 1024; bytes < 9_000_000; bytes = Math.ceil(bytes * 1.013)) {
    const packet = memory.allocate(bytes)
    assert.equal(packet.length, bytes)
    assert.ok(packet.buffer.byteLength <= bytes * 1.126, `${packet.buffer.byteLength} for ${bytes}`)
  }
})

test('what lies idle is limited, and makes room when the sizes change', () => {
  const memory = new ImageMemory(1_000_000)
  const small = Array.from({ length: 10 }, () => memory.allocate(200_000))
  for (const packet of small) memory.giveBack(packet)
  assert.ok(memory.idleBytes <= 1_000_000)
  const large = memory.allocate(900_000)
  memory.giveBack(large)
  assert.equal(memory.allocate(900_000).buffer, large.buffer)
  const huge = memory.allocate(5_000_000)
  memory.giveBack(huge)
  assert.ok(memory.idleBytes <= 1_000_000)
})

test('an image in custody keeps its bytes while the memory of others is used again', async (t) => {
  const custody = new HeldCustody()
  const kept: Buffer[] = []
  const { port } = await startTestBroker(t, {
    takeCustody: async (publish) => {
      if (publish.deviceId !== 'cam-held') return { kind: 'taken' }
      kept.push(publish.payload)
      return await custody.takeCustody(publish)
    }
  })
  const send = async (clientId: string, fill: number): Promise<void> => {
    const device = await connectRaw(t, port, { clientId })
    device.send(publishPacket({ topic: `devices/${clientId}/images`, payload: Buffer.alloc(250_000, fill) }))
    if (clientId !== 'cam-held') await device.receives(puback(1))
  }
  await send('cam-1', 1)
  await send('cam-held', 2)
  await eventually(() => kept.length === 1)
  for (let n = 3; n < 9; n++) await send(`cam-${n}`, n)
  assert.ok(kept[0]?.equals(Buffer.alloc(250_000, 2)))
  await custody.settle()
})
