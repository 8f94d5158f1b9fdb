import assert from 'node:assert/strict'
import { areCut, type Checks } from './checks.ts'
import {
  packet, pingreq, pingresp, puback, publish, sized, suback, subscribe, uint16, unsuback, unsubscribe
} from './packets.ts'

const noUtf8 = sized(Buffer.of(0x61, 0xff))

export const subscribeChecks: Checks = {
  '3.8.1-1': async (site) => { await areCut(site, ...[0, 1, 3, 6, 10].map((flags) => packet(0x80 | flags, uint16(1), 'a', 0))) },
  '3.8.3-1': async (site) => { await areCut(site, subscribe(1, [[noUtf8, 0]]), subscribe(1, [['a', 0], [noUtf8, 0]])) },
  '3.8.3-2': async (site) => {
    const root = site.name()
    const [writer, reader] = await site.pair(`+/${root}/#`)
    writer.send(publish({ topic: `a/${root}` }), publish({ topic: `b/${root}/c/d` }))
    await reader.delivered({ topic: `a/${root}` })
    await reader.delivered({ topic: `b/${root}/c/d` })
  },
  '3.8.3-3': async (site) => {
    await areCut(site, packet(0x82, uint16(1)), packet(0x82, uint16(1), 'a'), packet(0x82, uint16(1), 'a', 0, 'b'),
      packet(0x82, uint16(1), uint16(9), 0), packet(0x82), packet(0x82, 0))
  },
  '3.8.3-4': async (site) => { await areCut(site, ...[3, 4, 8, 0x40, 0x80, 0xff].map((qos) => subscribe(1, { a: qos }))) },
  '3.8.4-1': async (site) => { await (await site.admitted()).send(subscribe(1, { a: 0 })).gets(suback(1, 0)) },
  '3.8.4-2': async (site) => {
    const peer = await site.admitted()
    for (const id of [1, 0x00ff, 0xff00, 0xffff]) await peer.send(subscribe(id, { a: 0 })).gets(suback(id, 0))
  },
  '3.8.4-3': async (site) => {
    const topic = site.name()
    const [writer, reader] = await site.pair(topic, 0)
    await writer.send(publish({ topic, payload: 'kept', qos: 1, retain: true })).gets(puback(1))
    await reader.delivered({ payload: 'kept', retain: false })
    await reader.send(subscribe(2, { [topic]: 1 })).gets(suback(2, 1))
    await reader.delivered({ payload: 'kept', retain: true, qos: 1 })
    writer.send(publish({ topic, payload: 'once', qos: 1, id: 2 }))
    await reader.delivered({ payload: 'once', qos: 1 })
    await reader.isQuiet()
  },
  '3.8.4-4': async (site) => {
    const root = site.name()
    const reader = await site.admitted()
    await reader.send(subscribe(2, { [`${root}/a`]: 0, [`${root}/b`]: 1, [`${root}/c`]: 2 })).gets(suback(2, 0, 1, 2))
    const writer = await site.admitted()
    for (const level of ['a', 'b', 'c']) {
      writer.send(publish({ topic: `${root}/${level}`, qos: 1, id: 1 }))
      await reader.delivered({ topic: `${root}/${level}`, qos: level === 'a' ? 0 : 1 })
    }
  },
  '3.8.4-5': async (site) => {
    const name = site.name()
    const list = [[name, 0], [`${name}/b`, 1], [name, 2], [name, 2]] as const
    const reader = await site.admitted()
    await reader.send(subscribe(2, list)).gets(suback(2, 2, 1, 2, 2))
    await reader.send(subscribe(2, { [name]: 1 })).gets(suback(2, 1))
  },
  '3.8.4-6': async (site) => {
    const root = site.name()
    const writer = await site.admitted()
    for (const granted of [0, 1, 2]) {
      const reader = await site.admitted()
      await reader.subscribes({ [`${root}/${granted === 1 ? '1/#' : granted}`]: granted })
      for (const qos of [0, 1, 2]) {
        writer.send(publish({ topic: `${root}/${granted}`, qos, id: 3 * granted + qos + 1 }))
        await reader.delivered({ qos: Math.min(qos, granted) })
      }
    }
  },
  '3.9.3-1': async (site) => {
    const name = site.name()
    const list = [['devices/+/images', 1], [`${name}/c`, 2], [`${name}/a`, 0], ['devices/a/images', 0], [`${name}/b`, 1]] as const
    await (await site.admitted()).send(subscribe(2, list)).gets(suback(2, 128, 2, 0, 128, 1))
  },
  '3.9.3-2': async (site) => {
    const peer = await site.admitted()
    const answer = await peer.send(subscribe(1, { a: 0, b: 1, c: 2, 'devices/+/images': 2, [`${'x'.repeat(2000)}`]: 0 })).next()
    assert.deepEqual([...answer.subarray(4)], [0, 1, 2, 128, 128])
  },
  '3.10.1-1': async (site) => { await areCut(site, ...[0, 1, 3, 6, 10].map((flags) => packet(0xa0 | flags, uint16(1), 'a'))) },
  '3.10.3-1': async (site) => { await areCut(site, unsubscribe(1, noUtf8), unsubscribe(1, 'a', noUtf8)) },
  '3.10.3-2': async (site) => { await areCut(site, unsubscribe(1), packet(0xa2), packet(0xa2, uint16(1), 0)) },
  '3.10.4-1': async (site) => {
    const root = site.name()
    const [writer, reader] = await site.pair(`${root}/+`)
    await reader.send(unsubscribe(1, `${root}/#`, `${root}/a`, `${root.toUpperCase()}/+`)).gets(unsuback(1))
    writer.send(publish({ topic: `${root}/a` }))
    await reader.delivered({ topic: `${root}/a` })
    await reader.send(unsubscribe(2, `${root}/+`)).gets(unsuback(2))
    await writer.send(publish({ topic: `${root}/a`, qos: 1 })).gets(puback(1))
    await reader.isQuiet()
  },
  '3.10.4-2': async (site) => {
    const topic = site.name()
    const [writer, reader] = await site.pair(topic, 1)
    await reader.send(unsubscribe(1, topic)).gets(unsuback(1))
    await writer.send(publish({ topic, qos: 1 })).gets(puback(1))
    await reader.isQuiet()
  },
  '3.10.4-3': async (site) => {
    const topic = site.name()
    const id = site.name()
    const reader = await site.admitted({ id, clean: false })
    await reader.subscribes({ [topic]: 1 })
    await (await site.admitted()).send(publish({ topic, qos: 1, payload: 'sent' })).gets(puback(1))
    const sent = await reader.delivered({ payload: 'sent' })
    await reader.send(unsubscribe(1, topic)).gets(unsuback(1))
    const again = await site.admitted({ id, clean: false }, true)
    assert.equal((await again.delivered({ payload: 'sent' })).id, sent.id)
    again.acknowledge(sent.id)
    await (await again.isQuiet()).send(pingreq).gets(pingresp)
    await (await site.admitted({ id, clean: false }, true)).isQuiet()
  },
  '3.10.4-4': async (site) => {
    const peer = await site.admitted()
    for (const id of [1, 0x00ff, 0xff00, 0xffff]) await peer.send(unsubscribe(id, 'a')).gets(unsuback(id))
  },
  '3.10.4-5': async (site) => { await (await site.admitted()).send(unsubscribe(7, site.name())).gets(unsuback(7)) },
  '3.10.4-6': async (site) => {
    const root = site.name()
    const [writer, reader] = await site.pair(`${root}/a`)
    await reader.subscribes({ [`${root}/b`]: 0, [`${root}/c`]: 0 })
    await reader.send(unsubscribe(3, `${root}/a`, `${root}/unknown`, `${root}/c`)).gets(unsuback(3))
    for (const level of ['a', 'b', 'c']) writer.send(publish({ topic: `${root}/${level}` }))
    await reader.delivered({ topic: `${root}/b` })
    await reader.isQuiet()
  }
}
