import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PublishPacket } from 'aedes'
import { createHooks } from '../broker/hooks.ts'
import { Identities } from '../broker/identities.ts'
import { defaultLimits } from '../broker/limits.ts'
import { ImageMemory } from '../broker/image-memory.ts'
import { Retained } from '../broker/retained.ts'
import { Sessions } from '../broker/sessions.ts'
import { Tally } from '../broker/tally.ts'
import { HeldCustody } from './helpers/mqtt.ts'

test('a will whose client is long gone goes through custody and is answered without an error', async () => {
  const custody = new HeldCustody()
  const hooks = createHooks({
    connectionOf: () => assert.fail('there is no client'),
    connected: new Map(),
    takeCustody: custody.takeCustody,
    memory: new ImageMemory(0),
    held: new Tally(),
    pubacks: new Tally(),
    retained: new Retained(1000),
    sessions: new Sessions(defaultLimits, () => {}),
    identities: new Identities({}, { ...defaultLimits, topicPrefix: 'devices' }),
    unrouted: new WeakSet(),
    observe: () => {}
  }, { ...defaultLimits, topicPrefix: 'devices', anonymous: 'loopback' })
  for (const topic of ['devices/cam-1/images', 'devices/cam-1/status', '$SYS/x']) {
    // As aedes.js (_clearWills) does it for the wills of a broker that died; an error there would be fatal.
    const will = { topic, payload: Buffer.from('last'), qos: 1, retain: true } as PublishPacket
    const answered = new Promise((resolve) => hooks.authorizePublish(null, will, resolve))
    if (topic.endsWith('images')) await custody.settle({ kind: 'withheld', reason: 'spool_full' })
    assert.equal(await answered, null)
  }
  assert.equal(custody.publishes[0]?.payload.toString(), 'last')
})
