import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressGroup } from '../broker/address-group.ts'
import { eventually } from './helpers/eventually.ts'
import { ask, openRaw, startSite } from './helpers/http.ts'

test('one address has so many HTTP connections and no more, and the others keep theirs', async (t) => {
  const site = await startSite(t, { http: { limits: { connectionsPerAddressMax: 3 } } })
  const first = [await openRaw(t, site.port), await openRaw(t, site.port), await openRaw(t, site.port)]
  const { socket } = await openRaw(t, site.port)
  await eventually(() => socket.closed)
  const told = site.events.flatMap((event) => event.kind === 'http-limit-reached' ? [event.limit] : [])
  assert.deepEqual(told, ['connections_per_address'])
  assert.deepEqual(first.map(({ socket }) => socket.closed), [false, false, false])
  first[0]?.socket.destroy()
  await eventually(async () => (await ask(`${site.url}/livez`).catch(() => undefined))?.status === 200)
})

test('a connection beyond all that there may be is cut, and told of by the limit\'s name', async (t) => {
  const site = await startSite(t, { http: { limits: { connectionsMax: 1 } } })
  await openRaw(t, site.port)
  const { socket } = await openRaw(t, site.port)
  await eventually(() => socket.closed)
  const told = site.events.flatMap((event) => event.kind === 'http-limit-reached' ? [event.limit] : [])
  assert.deepEqual(told, ['connections'])
})

for (const begun of ['', 'GET /livez HTTP/1.1\r\nHost: a\r\nX-Slow: ']) {
  test(`a request whose head does not come to its end is cut in time, ${begun === '' ? 'also' : 'and not only'} where nothing came`, async (t) => {
    const site = await startSite(t, { http: { limits: { headMsMax: 200 } } })
    const { socket } = await openRaw(t, site.port)
    const openedAt = performance.now()
    socket.write(begun)
    const drip = setInterval(() => { if (begun !== '') socket.write('x') }, 20)
    t.after(() => { clearInterval(drip) })
    await eventually(() => socket.readableEnded || socket.closed, { timeoutMs: 5_000 })
    assert.ok(performance.now() - openedAt < 1_500)
  })
}

test('of IPv6 a whole network counts as one address, of IPv4 each one', () => {
  const same = ['2001:db8::1', '2001:DB8:0:0:ffff::2', '2001:db8:0:0:1:2:3:4']
  assert.deepEqual(new Set(same.map(addressGroup)), new Set(['2001:db8:0:0::/64']))
  assert.equal(addressGroup('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
  assert.equal(addressGroup('fe80::1%eth0'), 'fe80:0:0:0::/64')
  assert.deepEqual(['10.0.0.1', '::ffff:10.0.0.1', '10.0.0.1 for a page of http://x'].map(addressGroup), Array(3).fill('10.0.0.1'))
  assert.equal(addressGroup(''), '')
})
