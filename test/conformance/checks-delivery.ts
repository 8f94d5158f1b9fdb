import assert from 'node:assert/strict'
import { areCut, areCutAtFirst, type Checks } from './checks.ts'
import {
  connect, disconnect, packet, pingreq, pingresp, puback, pubcomp, publish, pubrec, pubrel, sized, subscribe,
  uint16, unsubscribe, will
} from './packets.ts'
import type { Site } from './site.ts'

const filtered = (...filters: readonly string[]): Buffer[] =>
  filters.flatMap((filter) => [subscribe(1, { [filter]: 0 }), unsubscribe(1, filter)])

/** Several at a time, to a session that is kept: each is released by itself, and none is left. */
async function releasesEach (site: Site): Promise<void> {
  const [topic, id] = [site.name(), site.name()]
  const reader = await site.admitted({ id, clean: false })
  await reader.subscribes({ [topic]: 2 })
  const writer = await site.admitted()
  for (const nth of [1, 2, 3]) await writer.send(publish({ topic, qos: 2, id: nth })).gets(pubrec(nth))
  const ids = [(await reader.delivered()).id, (await reader.delivered()).id, (await reader.delivered()).id]
  await reader.send(...ids.map(pubrec)).gets(...ids.map(pubrel))
  reader.drop()
  const again = await site.admitted({ id, clean: false }, true)
  await again.gets(...ids.map(pubrel))
  await again.send(...ids.map(pubcomp)).isQuiet()
  await (await site.admitted({ id, clean: false }, true)).isQuiet()
}

export const deliveryChecks: Checks = {
  '3.12.4-1': async (site) => {
    const peer = await site.admitted()
    await peer.send(pingreq, pingreq, pingreq).gets(pingresp, pingresp, pingresp)
  },
  '3.14.1-1': async (site) => {
    const topic = site.name()
    const reader = await site.admitted()
    await reader.subscribes({ [topic]: 0 })
    for (const flags of [1, 2, 4, 8, 15]) {
      await (await site.admitted(will(topic, String(flags)))).isCutBy(packet(0xe0 | flags))
      await reader.delivered({ payload: String(flags) })
    }
  },
  '4.2.0-1': async (site) => {
    const topic = site.name()
    const [writer, reader] = await site.pair(topic)
    const payload = Buffer.alloc(100_000, 'abcdefghi').toString()
    const bytes = publish({ topic, payload })
    for (let at = 0; at < bytes.length; at += 9_999) writer.send(bytes.subarray(at, at + 9_999))
    assert.equal((await reader.delivered()).payload, payload)
  },
  '4.3.1-1': async (site) => {
    const topic = site.name()
    const [writer, reader] = await site.pair(topic, 2)
    writer.send(publish({ topic }))
    await reader.delivered({ qos: 0, dup: false, id: 0 })
    await reader.isQuiet()
  },
  '4.3.2-1': async (site) => {
    const [topic, id] = [site.name(), site.name()]
    const reader = await site.admitted({ id, clean: false })
    await reader.subscribes({ [topic]: 1 })
    await (await site.admitted()).send(publish({ topic, qos: 1 })).gets(puback(1))
    const { id: identifier } = await reader.delivered({ qos: 1, dup: false })
    await reader.isCutBy(pubcomp(identifier))
    const again = await site.admitted({ id, clean: false }, true)
    await again.delivered({ qos: 1, id: identifier })
    await again.acknowledge(identifier).isQuiet()
    await (await site.admitted({ id, clean: false }, true)).isQuiet()
  },
  '4.3.2-2': async (site) => {
    const topic = site.name()
    const [writer, reader] = await site.pair(topic)
    for (const payload of ['one', 'two']) {
      await writer.send(publish({ topic, payload, qos: 1, id: 3, dup: payload === 'two' })).gets(puback(3))
      await reader.delivered({ payload })
    }
  },
  '4.3.3-1': async (site) => {
    const topic = site.name()
    const [writer, reader] = await site.pair(topic, 2)
    await writer.send(publish({ topic, qos: 2 })).gets(pubrec(1))
    const { id } = await reader.delivered({ qos: 2, dup: false })
    await reader.send(pubrec(id)).gets(pubrel(id))
    await reader.send(pubrec(id)).gets(pubrel(id))
    await reader.send(pubcomp(id)).isQuiet()
    await writer.send(pubrel(1)).gets(pubcomp(1))
    await writer.send(publish({ topic, qos: 2 })).gets(pubrec(1))
    const next = await reader.delivered({ qos: 2, dup: false })
    await reader.isCutBy(puback(next.id))
    await releasesEach(site)
  },
  '4.3.3-2': async (site) => {
    const topic = site.name()
    const [writer, reader] = await site.pair(topic)
    const once = publish({ topic, payload: 'once', qos: 2, id: 5 })
    await writer.send(once, once).gets(pubrec(5), pubrec(5))
    await reader.delivered({ payload: 'once' })
    await (await reader.isQuiet()).isQuiet()
    await writer.send(pubrel(5), pubrel(5)).gets(pubcomp(5), pubcomp(5))
    await writer.send(publish({ topic, payload: 'new', qos: 2, id: 5 })).gets(pubrec(5))
    await reader.delivered({ payload: 'new' })
  },
  '4.6.0-5': async (site) => {
    const topic = `${site.name()}/ordered`
    const [writer, reader] = await site.pair(topic)
    for (let i = 0; i < 200; i++) writer.send(publish({ topic, payload: String(i) }))
    for (let i = 0; i < 200; i++) await reader.delivered({ payload: String(i) })
  },
  '4.6.0-6': async (site) => {
    for (const qos of [1, 2]) {
      const topic = site.name()
      const [writer, reader] = await site.pair(topic, qos)
      const packets = Array.from({ length: 50 }, (_, i) => publish({ topic, payload: String(i), qos, id: i + 1 }))
      writer.send(...packets)
      for (let i = 0; i < packets.length; i++) await reader.delivered({ payload: String(i), qos })
    }
  },
  '4.7.1-1': async (site) => {
    const name = site.name()
    const [writer, reader] = await site.pair(`${name}/+`)
    await areCut(site, publish({ topic: `${name}/+` }), publish({ topic: `${name}/#` }))
    await areCutAtFirst(site, connect(will(`${name}/+`, 'gone')))
    writer.send(publish({ topic: `${name}/x` }))
    await reader.delivered({ topic: `${name}/x` })
  },
  '4.7.1-2': async (site) => {
    await areCut(site, ...filtered('a#', '#a', 'a/#/b', '#/a', 'a/b#', '##', 'a/##', '#/', '+#'))
    const root = site.name()
    const [writer, reader] = await site.pair(`${root}/#`)
    for (const topic of [root, `${root}/`, `${root}/a`, `${root}/a/b/c`]) {
      writer.send(publish({ topic: `${root}x` }), publish({ topic }))
      await reader.delivered({ topic })
    }
  },
  '4.7.1-3': async (site) => {
    await areCut(site, ...filtered('a+', '+a', 'a/+b', 'a/b+', '++', 'a/b+/c', '+a/b'))
    const root = site.name()
    const reader = await site.admitted()
    await reader.subscribes({ [`+/${root}/+`]: 0 })
    const writer = await site.admitted()
    for (const topic of [`a/${root}/b`, `/${root}/`, `a/${root}/`]) {
      writer.send(publish({ topic: `a/${root}` }), publish({ topic: `a/${root}/b/c` }), publish({ topic }))
      await reader.delivered({ topic })
    }
  },
  '4.7.2-1': async (site) => {
    const reader = await site.admitted()
    await reader.subscribes({ '+/new/#': 0, '#': 0 })
    // Aedes publishes below $SYS what is subscribed to.
    await (await site.admitted()).subscribes({ a: 0 })
    const topic = site.name()
    ;(await site.admitted()).send(publish({ topic }))
    for (;;) {
      const delivery = await reader.delivered()
      assert.equal(delivery.topic.startsWith('$'), false)
      if (delivery.topic === topic) break
    }
  },
  '4.7.3-1': async (site) => { await areCut(site, publish({ topic: '' }), subscribe(1, { '': 0 }), unsubscribe(1, '')) },
  '4.7.3-2': async (site) => { await areCut(site, publish({ topic: 'a\0' }), subscribe(1, { 'a\0': 0 }), unsubscribe(1, '\0')) },
  '4.7.3-4': async (site) => {
    const name = site.name()
    const reader = await site.admitted()
    await reader.subscribes({ [`${name}/\u00e9`]: 0, [`${name}/A`]: 0, [`${name}//b`]: 0 })
    const writer = await site.admitted()
    const others = [`${name}/e\u0301`, `${name}/a`, `${name}/b`, `/${name}/A`, `${name}/A/`, `${name} /A`]
    writer.send(...others.map((topic) => publish({ topic })), publish({ topic: `${name}//b` }), publish({ topic: `${name}/\u00e9` }))
    await reader.delivered({ topic: `${name}//b` })
    await reader.delivered({ topic: `${name}/\u00e9` })
  },
  '4.8.0-1': async (site) => {
    await areCut(site, packet(0x00), packet(0xf0), packet(0x20, 0, 0), packet(0x90, uint16(1), 0), packet(0xd0),
      packet(0xb0, uint16(1)), packet(0xc0, 0), packet(0xe0, 0), packet(0x40, uint16(1), 0), packet(0x40, 0),
      packet(0x62, uint16(0)),
      Buffer.of(0x30, 0xff, 0xff, 0xff, 0xff, 0x01), publish({ topic: sized(Buffer.from('a\u0007b')) }))
    await (await site.admitted()).send(puback(77), pubrec(78), pubcomp(79)).isQuiet() // they answer nothing
  },
  '7.0.0-2': async (site) => {
    const topic = site.name()
    const [writer, reader] = await site.pair(topic)
    await writer.send(publish({ topic, qos: 1 })).gets(puback(1))
    await reader.delivered({ topic })
    writer.send(disconnect)
    await writer.ends()
  },
  '7.1.1-1': async (site) => {
    const [topic, payload] = [site.name(), 'x'.repeat(50_000)]
    const peer = await site.admitted()
    await peer.subscribes({ [topic]: 0 })
    for (let i = 0; i < 4; i++) peer.send(publish({ topic, payload: `${i}${payload}` }))
    for (let i = 0; i < 4; i++) await peer.delivered({ payload: `${i}${payload}` })
  }
}
