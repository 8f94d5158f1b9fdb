import assert from 'node:assert/strict'
import { eventually } from '../helpers/eventually.ts'
import { areCut, areCutAtFirst, type Checks } from './checks.ts'
import { connack, connect, disconnect, packet, pingreq, puback, publish, sized, subscribe, uint16, will } from './packets.ts'

const noUtf8 = sized(Buffer.of(0x61, 0xff))

export const connectChecks: Checks = {
  '3.1.0-1': async (site) => {
    await areCutAtFirst(site, pingreq, disconnect, publish({ topic: 'a' }), subscribe(1, { a: 0 }), puback(1), Buffer.of(0, 0))
  },
  '3.1.0-2': async (site) => {
    await areCut(site, connect({ id: site.name() }))
    const id = site.name()
    await (await site.open()).send(connect({ id }), connect({ id })).gets(connack(0)).then((peer) => peer.ends())
  },
  '3.1.2-1': async (site) => {
    await areCutAtFirst(site, ...['MQTt', 'HTTP', '', 'MQTTX', '__proto__'].map((name) => connect({ name })))
  },
  '3.1.2-2': async (site) => {
    const others = [0, 1, 2, 3, 5, 6, 127, 255].map((level) => ({ level, name: 'MQTT' }))
    await Promise.all([...others, { level: 4, name: 'MQIsdp' }].map(async (protocol) => {
      const peer = await site.open()
      const nothing = Buffer.of(0, 0, 0) // of level 5: no properties, no client id
      await peer.send(connect({ ...protocol, id: nothing })).gets(connack(1)).then(() => peer.ends())
    }))
  },
  '3.1.2-3': async (site) => { await areCutAtFirst(site, connect({ flags: 1 })) },
  '3.1.2-9': async (site) => {
    await areCutAtFirst(site, connect({ flags: 4 }), connect({ flags: 4, fields: ['a'] }), connect({ flags: 4, fields: ['a', 0] }))
  },
  '3.1.2-11': async (site) => {
    await areCutAtFirst(site, connect({ flags: 0x38, fields: ['a', 'b'] }), connect({ fields: ['a', 'b'] }))
  },
  '3.1.2-13': async (site) => { await areCutAtFirst(site, connect({ flags: 0x08 }), connect({ flags: 0x10 })) },
  '3.1.2-14': async (site) => { await areCutAtFirst(site, connect(will('a', 'b', { qos: 3 }))) },
  '3.1.2-15': async (site) => { await areCutAtFirst(site, connect({ flags: 0x20 })) },
  '3.1.2-18': async (site) => { await areCutAtFirst(site, connect({ fields: ['user'] })) },
  '3.1.2-19': async (site) => { await areCutAtFirst(site, connect({ flags: 0x80 })) },
  '3.1.2-20': async (site) => { await areCutAtFirst(site, connect({ flags: 0x80, fields: ['user', 'secret'] })) },
  '3.1.2-21': async (site) => {
    await areCutAtFirst(site, connect({ flags: 0xc0, fields: ['user'] }), connect({ flags: 0xc0, fields: ['user', 0] }))
  },
  '3.1.2-22': async (site) => { await areCutAtFirst(site, connect({ flags: 0x40, fields: ['secret'] })) },
  '3.1.2-24': async (site) => {
    const topic = site.name()
    const reader = await site.admitted()
    await reader.subscribes({ [topic]: 0 })
    const startedAt = performance.now()
    const [silent, lively] = [await site.admitted({ keepAlive: 1, ...will(topic, 'lost') }), await site.admitted({ keepAlive: 1 })]
    const pings = setInterval(() => { lively.send(pingreq) }, 300)
    await silent.ends().finally(() => { clearInterval(pings) })
    assert.ok(performance.now() - startedAt >= 1500)
    await reader.delivered({ topic, payload: 'lost' })
    assert.equal(lively.stream.destroyed, false)
  },
  '3.1.3-1': async (site) => {
    const id = site.name()
    const topic = site.name()
    const reader = await site.admitted()
    await reader.subscribes({ [topic]: 0 })
    const peer = await site.admitted({ id, flags: 0xc4, fields: [topic, 'message', 'user', 'secret'] })
    peer.drop()
    await reader.delivered({ topic, payload: 'message' })
    assert.ok(site.broker.seen('client-connected').some(({ clientId }) => clientId === id))
  },
  '3.1.3-3': async (site) => {
    await areCutAtFirst(site, packet(0x10, 'MQTT', 4, 2, uint16(0)), packet(0x10, 'MQTT', 4, 2, uint16(0), 0),
      packet(0x10, 'MQTT', 4, 2, uint16(0), uint16(5), 'abc'))
  },
  '3.1.3-4': async (site) => { await areCutAtFirst(site, connect({ id: noUtf8 })) },
  '3.1.3-5': async (site) => {
    const all = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
    for (const id of ['a', ...all.match(/.{1,23}/g) ?? []]) await site.admitted({ id })
  },
  '3.1.3-6': async (site) => {
    const topic = site.name()
    const peers = await Promise.all([site.admitted({ id: '' }), site.admitted({ id: '' })])
    for (const peer of peers) await peer.subscribes({ [topic]: 0 })
    peers[0].send(publish({ topic }))
    for (const peer of peers) await peer.delivered({ topic })
  },
  '3.1.3-8': async (site) => {
    const peer = await site.open()
    await peer.send(connect({ clean: false })).gets(connack(2)).then(() => peer.ends())
  },
  '3.1.3-9': async (site) => {
    const peer = await site.open()
    await peer.send(connect({ id: 'x'.repeat(257) })).gets(connack(2)).then(() => peer.ends())
  },
  '3.1.3-10': async (site) => { await areCutAtFirst(site, connect(will(noUtf8, 'gone'))) },
  '3.1.3-11': async (site) => { await areCutAtFirst(site, connect({ flags: 0x80, fields: [noUtf8] })) },
  '3.1.4-1': async (site) => {
    await areCutAtFirst(site, packet(0x10), packet(0x10, 'MQTT'), packet(0x10, 'MQTT', 4), connect({ fields: [0] }),
      connect({ id: uint16(99) }), connect(will('', 'gone')), connect(will('a/#', 'gone')))
  },
  '3.1.4-2': async (site) => {
    const id = site.name()
    const before = await site.admitted({ id })
    const after = await site.admitted({ id })
    await before.ends()
    await after.isQuiet()
  },
  '3.1.4-4': async (site) => { await (await site.open()).send(connect({ id: site.name() })).gets(connack(0)) },
  '3.1.4-5': async (site) => {
    const topic = site.name()
    const reader = await site.admitted()
    await reader.subscribes({ [topic]: 0 })
    const peer = await site.open()
    await peer.send(connect({ clean: false }), publish({ topic })).gets(connack(2)).then(() => peer.ends())
    await areCutAtFirst(site, Buffer.concat([connect({ flags: 1 }), publish({ topic })]))
    await reader.isQuiet()
  },
  '3.2.0-1': async (site) => {
    const [id, topic] = [site.name(), site.name()]
    const peer = await site.admitted({ id, clean: false })
    await peer.subscribes({ [topic]: 1 })
    peer.send(disconnect)
    const writer = await site.admitted()
    await eventually(() => site.broker.seen('client-disconnected').some(({ clientId }) => clientId === id))
    await writer.send(publish({ topic, qos: 1 })).gets(puback(1))
    await (await site.open()).send(connect({ id, clean: false }), pingreq).gets(connack(0, true))
  },
  '3.2.2-1': async (site) => {
    const id = site.name()
    await site.admitted({ id, clean: false })
    await site.admitted({ id }, false)
  },
  '3.2.2-2': async (site) => {
    const id = site.name()
    await site.admitted({ id, clean: false })
    await site.admitted({ id, clean: false }, true)
  },
  '3.2.2-3': async (site) => { await site.admitted({ clean: false }, false) },
  '3.2.2-4': async (site) => { await (await site.open()).send(connect({ clean: false })).gets(connack(2, false)) },
  '3.2.2-5': async (site) => {
    const peer = await site.open()
    await peer.send(connect({ clean: false })).gets(connack(2)).then(() => peer.ends())
  },
  '3.2.2-6': async (site) => { await areCutAtFirst(site, connect({ flags: 1 }), connect({ fields: ['more'] })) }
}
