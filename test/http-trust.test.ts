import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findDistant, findForged, type Caller } from '../bridge/http/trust.ts'
import { ask, keep, startSite } from './helpers/http.ts'
import { jpegOf } from './helpers/jpeg.ts'

const TOKEN = 'correct-horse-battery-staple'

function caller (headers: Caller['headers'] = {}, remoteAddress = '127.0.0.1'): Caller {
  return { headers: { host: 'localhost:8080', ...headers }, socket: { remoteAddress } }
}

const NEIGHBOURS: ReadonlyArray<readonly [string, Caller]> = [
  ['curl', caller()],
  ['curl by address', caller({ host: '127.0.0.1:8080' })],
  ['curl by IPv6', caller({ host: '[::1]:8080' }, '::1')],
  ['a socket that listens on both', caller({}, '::ffff:127.0.0.1')],
  ['our own page', caller({ origin: 'http://localhost:8080', 'sec-fetch-site': 'same-origin' })],
  ['an address typed by hand', caller({ 'sec-fetch-site': 'none' })]
]

const DISTANT: ReadonlyArray<readonly [string, Caller]> = [
  ['another machine', caller({}, '192.0.2.7')],
  ['another machine that calls itself local', caller({ host: '127.0.0.1' }, '192.0.2.7')],
  ['a page whose name was pointed here (DNS rebinding)', caller({ host: 'evil.example:8080', origin: 'http://evil.example:8080', 'sec-fetch-site': 'same-origin' })],
  ['a name that begins like ours', caller({ host: 'localhost.evil.example' })],
  ['an address that begins like ours', caller({ host: '127.0.0.1.evil.example' })],
  ['no Host at all', caller({ host: undefined })],
  ['a proxy on this machine', caller({ 'x-forwarded-for': '192.0.2.7' })],
  ['a proxy that follows RFC 7239', caller({ forwarded: 'for=192.0.2.7' })]
]

const FORGED: ReadonlyArray<readonly [string, Caller]> = [
  ['a form on a page of another site', caller({ origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' })],
  ['a page without an origin', caller({ origin: 'null' })],
  ['another program of this machine that serves pages', caller({ origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' })],
  ['a browser that sends no Origin', caller({ 'sec-fetch-site': 'cross-site' })]
]

test('address, Host, proxy headers, Origin and Sec-Fetch-Site tell who is on this machine and asks for no other page', () => {
  for (const [who, near] of NEIGHBOURS) assert.equal(findDistant(near) ?? findForged(near), undefined, who)
  for (const [who, stranger] of DISTANT) assert.notEqual(findDistant(stranger), undefined, who)
  for (const [who, forger] of FORGED) assert.notEqual(findForged(forger), undefined, who)
})

test('a page that was rebound to this machine reads nothing, deletes nothing, retries nothing and sends nothing', async (t) => {
  const site = await startSite(t)
  await keep(site.spool, 'cam-1', 'a1', jpegOf(2000))
  const rebound = { host: 'evil.example', origin: 'http://evil.example', 'sec-fetch-site': 'same-origin' }
  const path = `${site.url}/api/v1/images/cam-1:a1`
  const image = jpegOf(2000)
  const sent = { method: 'POST', headers: { ...rebound, 'content-type': 'image/jpeg', 'content-length': image.length } }
  const answers = [
    await ask(`${path}/content`, { headers: rebound }),
    await ask(path, { method: 'DELETE', headers: rebound }),
    await ask(`${path}/retry`, { method: 'POST', headers: rebound }),
    await ask(`${site.url}/api/v1/images/retry`, { method: 'POST', headers: rebound }),
    await ask(`${site.url}/?device=cam-2`, sent, image)
  ]
  assert.deepEqual(answers.map(({ status }) => status), [403, 403, 403, 403, 403])
  assert.deepEqual(site.spool.ledger, { acknowledged: 1, uploaded: 0, waiting: 1, failed: 0, dropped: 0 })
})

test('a page of another site changes and sends nothing, and a link on it may lead here', async (t) => {
  const site = await startSite(t)
  await keep(site.spool, 'cam-1', 'a1', jpegOf(2000))
  const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  const path = `${site.url}/api/v1/images/cam-1:a1`
  const image = jpegOf(2000)
  const sent = { method: 'POST', headers: { ...foreign, 'content-type': 'image/jpeg', 'content-length': image.length } }
  assert.equal((await ask(path, { method: 'DELETE', headers: foreign })).status, 403)
  assert.equal((await ask(`${site.url}/?device=cam-2`, sent, image)).status, 403)
  assert.equal((await ask(`${site.url}/`, { headers: { 'sec-fetch-site': 'cross-site' } })).status, 200)
})

test('with a token whoever shows it may act, being on this machine does not count, and reading needs none there', async (t) => {
  const site = await startSite(t, { http: { token: TOKEN } })
  await keep(site.spool, 'cam-1', 'a1', jpegOf(2000))
  const path = `${site.url}/api/v1/images/cam-1:a1`
  const remove = (authorization?: string) => ask(path, { method: 'DELETE', headers: authorization === undefined ? {} : { authorization } })
  assert.equal((await ask(path)).status, 200)
  const proxied = await ask(path, { headers: { 'x-forwarded-for': '192.0.2.7' } })
  assert.equal(proxied.status, 401)
  for (const wrong of [undefined, 'Bearer wrong', `Bearer ${TOKEN}x`, TOKEN, 'Bearer ', `Basic ${TOKEN}`]) {
    const refused = await remove(wrong)
    assert.equal(refused.status, 401, wrong)
    assert.match(refused.headers['www-authenticate'] ?? '', /^Bearer/)
  }
  assert.equal((await remove(`Bearer ${TOKEN}`)).status, 200)
  assert.equal(site.spool.ledger.dropped, 1)
})
