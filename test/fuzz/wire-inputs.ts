import fc from 'fast-check'
import type { Random } from '../../device-sim/random.ts'
import {
  connect, disconnect, packet, pingreq, puback, pubcomp, publish, pubrec, pubrel, sized, subscribe, unsubscribe, will,
  type Part
} from '../conformance/packets.ts'
import { cut, mutate } from './mutate.ts'

// What a hostile client may send: packets that are nearly right, in an order that is nearly right, and then bytes
// that are not. Client ids are few, so that sessions are taken over and resumed, and their number has an end.

const names = fc.constantFrom('a', 'b', 'honest', 'x'.repeat(24), '', '__proto__', 'constructor', 'aedes', '\ufeff')
const topics = fc.constantFrom(
  'devices/a/images', 'devices/a/images/i1', 'devices/a/status', 'devices/a/acks', 'devices/../images', 'devices//images',
  'site/door', 'site', '/', '//', '$SYS/broker/uptime', '$share/g/a', 'sluice/site/state', '__proto__', 'constructor',
  '../../etc/passwd', 'a/'.repeat(60), '/'.repeat(300), 'x'.repeat(3000), '\u2028', '\ud7ff', 'e\u0301'
)
const filters = fc.oneof(topics, fc.constantFrom(
  '#', '+', '+/+', '+/#', 'a#', '#/a', 'a+', '/#', '$SYS/#', 'devices/+/images', 'devices/+/+', 'a/'.repeat(200) + '#', '+/'.repeat(150)
))
const strange: fc.Arbitrary<Part> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.uint8Array({ maxLength: 12 }).map((bytes) => sized(Buffer.from(bytes))),
  fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes))
)
const mostly = <T, U>(usual: fc.Arbitrary<T>, other: fc.Arbitrary<U>): fc.Arbitrary<T | U> =>
  fc.oneof({ weight: 8, arbitrary: usual }, { weight: 1, arbitrary: other })

const id = mostly(fc.integer({ min: 1, max: 5 }), fc.constantFrom(0, 0xffff))
const qos = mostly(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 3, max: 255 }))
const payload = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('{"image":"/9j/4AAQ","id":"i1"}', '{"image":', '{'.repeat(500), '[', '\xff\xd8\xff\xe0', 'x'.repeat(20_000))
)

const connects = fc.record({
  name: mostly(fc.constant('MQTT'), mostly(fc.constant('MQIsdp'), strange)),
  level: mostly(fc.constant(4), fc.nat(255)),
  flags: mostly(fc.constant(0), fc.nat(255)),
  clean: fc.boolean(),
  keepAlive: fc.constantFrom(0, 1, 60, 0xffff),
  id: mostly(names, strange),
  fields: mostly(fc.constant([]), fc.array(fc.oneof(strange, topics), { maxLength: 5 }))
}).map(connect)
const withWill = fc.tuple(names, mostly(topics, strange), payload, fc.nat(3), fc.boolean())
  .map(([id, topic, message, qos, retain]) => connect({ id, ...will(topic, message, { qos, retain }) }))
const publishes = fc.record({
  topic: mostly(topics, strange),
  payload,
  qos: mostly(fc.nat(2), fc.constant(3)),
  id,
  retain: fc.boolean(),
  dup: fc.boolean()
}).map(publish)
const subscribes = fc.tuple(id, fc.array(fc.tuple(mostly(filters, strange), qos), { maxLength: 6 }))
  .map(([id, list]) => subscribe(id, list))
const unsubscribes = fc.tuple(id, fc.array(mostly(filters, strange), { maxLength: 4 }))
  .map(([id, list]) => unsubscribe(id, ...list))
const acks = fc.tuple(fc.constantFrom(puback, pubrec, pubrel, pubcomp), id).map(([make, id]) => make(id))
const raw = fc.tuple(fc.nat(255), fc.array(strange, { maxLength: 4 }))
  .map(([firstByte, parts]) => packet(firstByte, ...parts))
const lying = fc.tuple(fc.nat(255), fc.uint8Array({ minLength: 1, maxLength: 5 }), strange)
  .map(([firstByte, length, rest]) => Buffer.concat([Buffer.of(firstByte), length, Buffer.from(String(rest))]))

const greeting = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(names, fc.boolean()).map(([id, clean]) => connect({ id, clean })) },
  { weight: 2, arbitrary: withWill },
  { weight: 2, arbitrary: connects }
)
const rest = fc.oneof(
  { weight: 5, arbitrary: publishes },
  { weight: 3, arbitrary: subscribes },
  { weight: 2, arbitrary: unsubscribes },
  { weight: 4, arbitrary: acks },
  { weight: 1, arbitrary: connects },
  { weight: 1, arbitrary: fc.constantFrom(pingreq, disconnect) },
  { weight: 1, arbitrary: raw },
  { weight: 1, arbitrary: lying }
)
const conversation = fc.tuple(greeting, fc.array(rest, { maxLength: 10 }))

/** What is written to one socket, piece by piece. */
export type WireInput = readonly Buffer[]

/** Conversations that follow from the seed; every second one has bytes harmed. */
export function wireInputs (seed: number, count: number, random: Random): WireInput[] {
  return fc.sample(conversation, { seed, numRuns: count }).map(([first, others], nth) => {
    const whole = Buffer.concat([first, ...others])
    return cut(nth % 2 === 0 ? whole : mutate(whole, random), random)
  })
}
