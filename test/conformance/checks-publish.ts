import assert from 'node:assert/strict'
import { areCut, type Checks } from './checks.ts'
import { packet, puback, pubcomp, publish, pubrec, pubrel, sized, subscribe, suback, uint16 } from './packets.ts'
import type { Site } from './site.ts'

/** What a new subscriber of the topic is sent at once. */
async function retainedOn (site: Site, topic: string): Promise<string | undefined> {
  const reader = await site.admitted()
  await reader.subscribes({ [topic]: 2 })
  await reader.send(publish({ topic, payload: 'last' }))
  const { payload, retain, qos } = await reader.delivered()
  return retain ? `${payload} ${qos}` : undefined
}

/** Publishes at QoS 1, so that it is there once this resolves. */
async function retain (site: Site, topic: string, payload: string, keeps = true): Promise<void> {
  await (await site.admitted()).send(publish({ topic, payload, qos: 1, retain: keeps })).gets(puback(1))
}

export const publishChecks: Checks = {
  '3.3.1-2': async (site) => { await areCut(site, publish({ topic: 'a', dup: true })) },
  '3.3.1-3': async (site) => {
    const topic = site.name()
    const [writer, reader] = await site.pair(topic, 1)
    writer.send(publish({ topic, qos: 1, dup: true }))
    await reader.delivered({ qos: 1, dup: false })
  },
  '3.3.1-4': async (site) => { await areCut(site, publish({ topic: 'a', qos: 3 }), packet(0x36, 'a')) },
  '3.3.1-5': async (site) => {
    const [topic, image] = [site.name(), `devices/${site.name()}/images`]
    await retain(site, topic, 'kept')
    await retain(site, image, 'an image')
    assert.equal(await retainedOn(site, topic), 'kept 1')
    const reader = await site.admitted()
    await reader.subscribes({ [image.replace('images', '+')]: 0 })
    await reader.isQuiet()
  },
  '3.3.1-6': async (site) => {
    const root = site.name()
    await retain(site, `${root}/a`, 'one')
    await retain(site, `${root}/b`, 'two')
    const reader = await site.admitted()
    await reader.subscribes({ [`${root}/+`]: 0 })
    const got = [await reader.delivered({ retain: true }), await reader.delivered({ retain: true })]
    assert.deepEqual(got.map(({ payload }) => payload).sort(), ['one', 'two'])
    await reader.isQuiet()
  },
  '3.3.1-7': async (site) => {
    const topic = site.name()
    await retain(site, topic, 'before')
    await (await site.admitted()).send(publish({ topic, payload: 'after', retain: true })).isQuiet()
    assert.equal(await retainedOn(site, topic), 'after 0')
  },
  '3.3.1-8': async (site) => {
    const topic = site.name()
    await retain(site, topic, 'kept')
    const reader = await site.admitted()
    await reader.subscribes({ [topic]: 0 })
    await reader.delivered({ retain: true, payload: 'kept' })
  },
  '3.3.1-9': async (site) => {
    const topic = site.name()
    const [writer, reader] = await site.pair(topic)
    writer.send(publish({ topic, payload: 'now', retain: true }))
    await reader.delivered({ retain: false, payload: 'now' })
  },
  '3.3.1-10': async (site) => {
    const topic = site.name()
    await retain(site, topic, 'kept')
    const [writer, reader] = await site.pair(topic)
    await reader.delivered({ payload: 'kept' })
    await writer.send(publish({ topic, qos: 1, retain: true })).gets(puback(1))
    await reader.delivered({ payload: '', retain: false })
    assert.equal(await retainedOn(site, topic), undefined)
  },
  '3.3.1-11': async (site) => {
    const topic = site.name()
    await retain(site, topic, '')
    assert.equal(await retainedOn(site, topic), undefined)
  },
  '3.3.1-12': async (site) => {
    const [topic, other] = [site.name(), site.name()]
    await retain(site, topic, 'kept')
    await retain(site, topic, 'passing', false)
    await retain(site, topic, '', false)
    await retain(site, other, 'passing', false)
    assert.equal(await retainedOn(site, topic), 'kept 1')
    assert.equal(await retainedOn(site, other), undefined)
  },
  '3.3.2-1': async (site) => {
    await areCut(site, packet(0x30), packet(0x30, 0), packet(0x30, uint16(9), Buffer.from('short')),
      publish({ topic: sized(Buffer.of(0xfe)) }), publish({ topic: '' }))
  },
  '3.3.2-2': async (site) => {
    await areCut(site, ...['#', '+', 'a/#', 'a/+/b', 'a+', '#a'].map((topic) => publish({ topic })))
  },
  '3.3.2-3': async (site) => {
    const root = site.name()
    const [writer, reader] = await site.pair(`${root}/+/b`)
    for (const topic of [`${root}/a/c`, `${root}/a`, `${root}/a/b/c`, `${root}/b`, `${root}/a/b`]) writer.send(publish({ topic }))
    await reader.delivered({ topic: `${root}/a/b` })
    await reader.isQuiet()
  },
  '3.3.4-1': async (site) => {
    const topic = site.name()
    const peer = await site.admitted()
    await (await peer.send(publish({ topic })).isQuiet()).send(publish({ topic, qos: 1, id: 5 })).gets(puback(5))
    await peer.send(publish({ topic, qos: 2, id: 5 })).gets(pubrec(5))
  },
  '3.3.5-1': async (site) => {
    const root = site.name()
    const writer = await site.admitted()
    const rising = [[`${root}/#`, 0], [`${root}/+`, 1], [`${root}/a`, 2]] as const
    for (const filters of [rising, rising.toReversed()]) {
      const reader = await site.admitted()
      await reader.send(subscribe(2, filters)).gets(suback(2, ...filters.map(([, qos]) => qos)))
      await writer.send(publish({ topic: `${root}/a`, qos: 2, id: 3 })).gets(pubrec(3))
      await writer.send(pubrel(3)).gets(pubcomp(3))
      assert.equal((await reader.delivered()).qos, 2)
    }
  },
  '3.3.5-2': async (site) => {
    const peer = await site.admitted()
    const topics = ['$SYS/broker/uptime', 'sluice/site/state', `devices/${site.name()}/acks`]
    for (const topic of topics) await peer.send(publish({ topic, qos: 1, id: 2 })).gets(puback(2))
  },
  '3.6.1-1': async (site) => {
    await areCut(site, ...[0x60, 0x61, 0x66, 0x6a].map((firstByte) => packet(firstByte, uint16(1))))
  }
}
