import assert from 'node:assert/strict'
import { eventually } from '../helpers/eventually.ts'
import type { Checks } from './checks.ts'
import {
  connack, connect, disconnect, puback, pubcomp, publish, pubrec, pubrel, suback, subscribe, will
} from './packets.ts'
import type { Peer } from './peer.ts'
import type { Site } from './site.ts'

/** Ends the connection as a client does, and waits until the broker has noted it. */
async function leave (site: Site, peer: Peer, clientId: string): Promise<void> {
  const count = (): number => site.broker.seen('client-disconnected').filter((event) => event.clientId === clientId).length
  const before = count()
  peer.send(disconnect)
  await eventually(() => count() > before)
}

/** A kept session with a subscription, whose client is away. */
async function away (site: Site, topic: string, qos = 2): Promise<string> {
  const id = site.name()
  const peer = await site.admitted({ id, clean: false })
  await leave(site, await peer.subscribes({ [topic]: qos }), id)
  return id
}

async function send (site: Site, topic: string, ...payloads: readonly string[]): Promise<void> {
  const writer = await site.admitted()
  for (const payload of payloads) await writer.send(publish({ topic, payload, qos: 1 })).gets(puback(1))
}

export const sessionChecks: Checks = {
  '3.1.2-4': async (site) => {
    const topic = site.name()
    const id = await away(site, topic)
    const back = await site.admitted({ id, clean: false }, true)
    await send(site, topic, 'now')
    await back.delivered({ payload: 'now' })
  },
  '3.1.2-5': async (site) => {
    const topic = site.name()
    const id = await away(site, topic)
    await send(site, topic, 'one')
    await (await site.admitted()).send(publish({ topic, payload: 'two', qos: 2 })).gets(pubrec(1))
    const back = await site.admitted({ id, clean: false }, true)
    await back.delivered({ payload: 'one', qos: 1 })
    await back.delivered({ payload: 'two', qos: 2 })
  },
  '3.1.2-6': async (site) => {
    const topic = site.name()
    const id = await away(site, topic)
    await send(site, topic, 'before')
    const clean = await site.admitted({ id })
    await send(site, topic, 'now')
    await leave(site, await (await clean.isQuiet()).subscribes({ [topic]: 1 }), id)
    const kept = await site.admitted({ id, clean: false }, false)
    await send(site, topic, 'after')
    await kept.isQuiet()
  },
  '3.1.2-7': async (site) => {
    const [topic, id] = [site.name(), site.name()]
    const writer = await site.admitted({ id })
    await leave(site, await writer.send(publish({ topic, payload: 'kept', qos: 1, retain: true })).gets(puback(1)), id)
    await (await site.admitted()).subscribes({ [topic]: 0 }).then((reader) => reader.delivered({ payload: 'kept', retain: true }))
  },
  '3.1.3-2': async (site) => {
    const topic = site.name()
    const id = await away(site, topic)
    await send(site, topic, 'kept')
    await (await site.admitted({ id: id.toUpperCase(), clean: false }, false)).isQuiet()
    await (await site.admitted({ id, clean: false }, true)).delivered({ payload: 'kept' })
  },
  '3.1.4-3': async (site) => {
    const id = site.name()
    for (const [clean, isPresent] of [[false, false], [false, true], [true, false], [false, false]] as const) {
      await site.admitted({ id, clean }, isPresent)
    }
  },
  '3.3.1-1': async (site) => {
    const topic = site.name()
    const id = await away(site, topic)
    await send(site, topic, 'one')
    const first = await site.admitted({ id, clean: false }, true)
    const sent = await first.delivered({ payload: 'one', dup: false })
    const second = await site.admitted({ id, clean: false }, true)
    await second.delivered({ payload: 'one', dup: true, id: sent.id })
  },
  '4.1.0-1': async (site) => {
    const topic = site.name()
    const peer = await site.admitted()
    await peer.send(publish({ topic, qos: 2, id: 5 })).gets(pubrec(5))
    for (let i = 0; i < 50; i++) await peer.isQuiet()
    const reader = await site.admitted()
    await reader.subscribes({ [topic]: 0 })
    await peer.send(publish({ topic, qos: 2, id: 5, dup: true })).gets(pubrec(5))
    await reader.isQuiet()
    await peer.send(pubrel(5)).gets(pubcomp(5))
  },
  '4.1.0-2': async (site) => {
    const topic = site.name()
    const reader = await site.admitted({ keepAlive: 60 })
    await reader.subscribes({ [topic]: 0 })
    for (let i = 0; i < 20; i++) await reader.isQuiet()
    await send(site, topic, 'there')
    await reader.delivered({ payload: 'there' })
  },
  '4.4.0-1': async (site) => {
    const topic = site.name()
    const id = await away(site, topic)
    await send(site, topic, 'one')
    await (await site.admitted()).send(publish({ topic, payload: 'two', qos: 2 })).gets(pubrec(1))
    const first = await site.admitted({ id, clean: false }, true)
    const sent = [await first.delivered({ payload: 'one' }), await first.delivered({ payload: 'two' })]
    await first.send(pubrec(sent[1]?.id ?? 0)).gets(pubrel(sent[1]?.id ?? 0))
    const second = await site.admitted({ id, clean: false }, true)
    await second.delivered({ payload: 'one', id: sent[0]?.id ?? 0 })
    await second.gets(pubrel(sent[1]?.id ?? 0))
    await second.send(puback(sent[0]?.id ?? 0), pubcomp(sent[1]?.id ?? 0)).isQuiet()
    await (await site.admitted({ id, clean: false }, true)).isQuiet()
  },
  '4.5.0-1': async (site) => {
    const topic = `devices/${site.name()}/status`
    const here = await site.admitted({ clean: false })
    await here.subscribes({ [topic]: 1, [topic.replace('status', '#')]: 2 })
    const ids = await Promise.all([away(site, topic), away(site, topic.replace('status', '#'))])
    await send(site, topic, 'online')
    await send(site, topic.replace('status', 'images'), 'an image')
    const { id: identifier } = await here.delivered({ topic, payload: 'online', qos: 1 })
    await here.acknowledge(identifier).isQuiet()
    await Promise.all(ids.map(async (id) => {
      const back = await site.admitted({ id, clean: false }, true)
      const { id: identifier } = await back.delivered({ topic, payload: 'online' })
      await back.acknowledge(identifier).isQuiet()
    }))
  },
  '3.1.2-8': async (site) => {
    const [topic, reader] = await willReader(site)
    const peer = await site.admitted(will(topic, 'gone', { qos: 1 }))
    await reader.isQuiet()
    peer.drop()
    await reader.delivered({ payload: 'gone', qos: 1 })
  },
  '3.1.2-10': async (site) => {
    const [topic, reader] = await willReader(site)
    const id = site.name()
    const peer = await site.admitted({ id, clean: false, ...will(topic, 'gone') })
    peer.drop()
    await reader.delivered({ payload: 'gone' })
    const back = await site.admitted({ id, clean: false }, true)
    back.drop()
    await left(site, id, 2)
    await leave(site, await site.admitted({ id, clean: false, ...will(topic, 'never') }, true), id)
    await reader.isQuiet()
  },
  '3.1.2-12': async (site) => {
    const id = site.name()
    const reader = await site.admitted()
    await reader.send(subscribe(1, { '+': 0 })).gets(suback(1, 0))
    const peer = await site.admitted({ id })
    peer.drop()
    await left(site, id, 1)
    await reader.send(subscribe(2, { [id]: 0 }))
    for (;;) if ((await reader.next()).equals(suback(2, 0))) break
  },
  '3.1.2-16': async (site) => {
    const [topic, reader] = await willReader(site)
    const peer = await site.admitted(will(topic, 'gone'))
    peer.drop()
    await reader.delivered({ payload: 'gone', retain: false })
    await (await (await site.admitted()).subscribes({ [topic]: 0 })).isQuiet()
  },
  '3.1.2-17': async (site) => {
    const [topic, reader] = await willReader(site)
    const peer = await site.admitted(will(topic, 'gone', { retain: true }))
    peer.drop()
    await reader.delivered({ payload: 'gone', retain: false })
    await (await (await site.admitted()).subscribes({ [topic]: 0 })).delivered({ payload: 'gone', retain: true })
  },
  '3.14.4-3': async (site) => {
    const [topic, reader] = await willReader(site)
    const id = site.name()
    const peer = await site.admitted({ id, ...will(topic, 'never', { qos: 1, retain: true }) })
    await leave(site, peer, id)
    await reader.isQuiet()
  },
  '4.8.0-2': async (site) => {
    const peer = await site.admitted()
    await peer.isCutBy(publish({ topic: 'devices/full/images', payload: 'an image', qos: 1 }))
    await (await site.open()).send(connect({ id: site.name() })).gets(connack(0))
  }
}

async function willReader (site: Site): Promise<[topic: string, reader: Peer]> {
  const topic = site.name()
  const reader = await site.admitted()
  return [topic, await reader.subscribes({ [topic]: 1 })]
}

async function left (site: Site, id: string, times: number): Promise<void> {
  await eventually(() => site.broker.seen('client-disconnected').filter(({ clientId }) => clientId === id).length >= times)
  assert.ok(times > 0)
}
