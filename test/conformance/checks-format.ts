import assert from 'node:assert/strict'
import { areCut, areCutAtFirst, type Checks } from './checks.ts'
import {
  connect, packet, puback, pubcomp, publish, pubrec, pubrel, sized, suback, subscribe, uint16, unsuback, unsubscribe,
  will
} from './packets.ts'

const text = (...bytes: readonly number[]): Buffer => sized(Buffer.from(bytes))

const ILL_FORMED = [
  text(0x61, 0xed, 0xa0, 0x80), // U+D800
  text(0xed, 0xbf, 0xbf), // U+DFFF
  text(0xc0, 0x80), // U+0000, and longer than it has to be
  text(0xc1, 0xa1),
  text(0x61, 0xe2, 0x82), // ends early
  text(0x80),
  text(0xf4, 0x90, 0x80, 0x80), // above U+10FFFF
  text(0xff)
]
const WITH_NUL = text(0x61, 0, 0x62)
const BOM = Buffer.of(0xef, 0xbb, 0xbf)

const everywhere = (string: Buffer): Buffer[] => [
  publish({ topic: string }), subscribe(1, [[string, 0]]), unsubscribe(1, string)
]
const inConnect = (string: Buffer): Buffer[] => [
  connect({ id: string }),
  connect(will(string, 'gone')),
  connect({ flags: 0x80, fields: [string] })
]

export const formatChecks: Checks = {
  '1.5.3-1': async (site) => {
    await areCut(site, ...ILL_FORMED.flatMap(everywhere))
    await areCutAtFirst(site, ...ILL_FORMED.flatMap(inConnect))
  },
  '1.5.3-2': async (site) => {
    await areCut(site, ...everywhere(WITH_NUL))
    await areCutAtFirst(site, ...inConnect(WITH_NUL))
  },
  '1.5.3-3': async (site) => {
    const name = site.name()
    const marked = `\ufeff${name}\ufeff`
    const [writer, reader] = await site.pair(marked)
    writer.send(publish({ topic: name }), publish({ topic: sized(Buffer.concat([BOM, Buffer.from(name), BOM])) }))
    await reader.delivered({ topic: marked })
  },
  '2.2.2-1': async (site) => {
    const topic = site.name()
    const peer = await site.admitted()
    await peer.send(subscribe(3, { [topic]: 2 })).gets(suback(3, 2))
    const writer = await site.admitted()
    await writer.send(publish({ topic, qos: 2, id: 4 })).gets(pubrec(4))
    const { id } = await peer.delivered({ qos: 2 })
    await writer.send(pubrel(4)).gets(pubcomp(4))
    await peer.send(pubrec(id)).gets(pubrel(id))
    await peer.send(pubcomp(id), unsubscribe(5, topic)).gets(unsuback(5))
    await peer.send(publish({ topic, qos: 1, id: 6 })).gets(puback(6))
    await peer.isQuiet()
  },
  '2.2.2-2': async (site) => {
    const acks = [0x41, 0x52, 0x74].map((firstByte) => packet(firstByte, uint16(1)))
    await areCut(site, ...acks, packet(0xc1), packet(0xe8))
    await areCutAtFirst(site, packet(0x11), Buffer.concat([Buffer.of(0x12), connect({}).subarray(1)]))
  },
  '2.3.1-1': async (site) => {
    await areCut(site, subscribe(0, { a: 0 }), unsubscribe(0, 'a'), publish({ topic: 'a', qos: 1, id: 0 }),
      publish({ topic: 'a', qos: 2, id: 0 }), packet(0x32, 'a'), packet(0x34, 'a', 1))
  },
  '2.3.1-4': async (site) => {
    const topic = site.name()
    const [writer, reader] = await site.pair(topic, 1)
    for (let i = 1; i <= 40; i++) writer.send(publish({ topic, qos: 1, id: i }))
    const ids = new Set<number>()
    for (let i = 0; i < 40; i++) ids.add((await reader.delivered({ qos: 1, dup: false })).id)
    assert.equal(ids.size, 40)
    assert.equal(ids.has(0), false)
  },
  '2.3.1-5': async (site) => {
    const topic = site.name()
    const [writer, reader] = await site.pair(topic, 0)
    writer.send(publish({ topic, payload: 'ab', qos: 0 }), publish({ topic, payload: 'cd', qos: 1 }))
    await reader.delivered({ qos: 0, payload: 'ab' })
    await reader.delivered({ qos: 0, payload: 'cd' })
  },
  '2.3.1-6': async (site) => {
    const topic = site.name()
    const peer = await site.admitted()
    await peer.send(publish({ topic, qos: 1, id: 0xffff })).gets(puback(0xffff))
    await peer.send(publish({ topic, qos: 2, id: 0x0102 })).gets(pubrec(0x0102))
    await peer.send(pubrel(0x0102)).gets(pubcomp(0x0102))
    const [writer, reader] = await site.pair(topic, 2)
    await writer.send(publish({ topic, qos: 2, id: 7 })).gets(pubrec(7))
    const { id } = await reader.delivered({ qos: 2 })
    await reader.send(pubrec(id)).gets(pubrel(id))
  },
  '2.3.1-7': async (site) => {
    const peer = await site.admitted()
    await peer.send(subscribe(0x1234, { a: 0 }), unsubscribe(0xfedc, 'a')).gets(suback(0x1234, 0), unsuback(0xfedc))
  }
}
