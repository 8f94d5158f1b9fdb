import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { SignJWT } from 'jose'
import { parseSecret } from '../broker/token-keys.ts'
import { catalogue } from '../bridge/metric-catalogue.ts'
import type { HttpLimits } from '../bridge/http/deps.ts'
import { accessOf } from './helpers/access.ts'
import { ask, keep, startSite, type Answer, type TestSite } from './helpers/http.ts'
import { jpegOf } from './helpers/jpeg.ts'

const TOKEN = 'correct-horse-battery-staple'
const users = { 'cam-1': 'one', 'cam-2': 'two', vera: 'three', otto: 'four' }
const roles = ['nameless', 'cam-1', 'vera', 'otto', 'wrong', 'stale', 'holder'] as const
const secret = 'a secret of more than thirty-two bytes'
type Caller = typeof roles[number]

const basic = (name: string, password: string): string => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
const headersOf: Readonly<Record<Caller, Record<string, string>>> = {
  nameless: {},
  'cam-1': { authorization: basic('cam-1', 'one') },
  vera: { authorization: basic('vera', 'three') },
  otto: { authorization: basic('otto', 'four') },
  wrong: { authorization: basic('otto', 'three') },
  stale: { authorization: 'Bearer of-nobody' },
  holder: { authorization: `Bearer ${TOKEN}` }
}

const bearer = async (sub: string, claims: Record<string, unknown> = {}): Promise<{ authorization: string }> => {
  const token = new SignJWT({ exp: Date.now() / 1000 + 60, ...claims }).setProtectedHeader({ alg: 'HS256' }).setSubject(sub)
  return { authorization: `Bearer ${await token.sign(createSecretKey(Buffer.from(secret)))}` }
}

/** Each is as somebody else who has shown a password, or as one who has shown nothing good. */
const byToken: ReadonlyArray<readonly [Record<string, string>, Caller]> = [
  [await bearer('cam-1'), 'cam-1'], [await bearer('cam-1', { role: 'device' }), 'cam-1'], [await bearer('viv', { role: 'viewer' }), 'vera'],
  [await bearer('olga', { role: 'operator' }), 'otto'], [await bearer('vera', { role: 'operator' }), 'vera'],
  [await bearer('olga', { role: 'operator', exp: 1 }), 'stale'], [await bearer('olga', { role: 'root' }), 'stale']
]

interface Route {
  readonly method?: string
  readonly path: string
  readonly body?: { readonly type: string, readonly bytes: Buffer }
}

const image = jpegOf(2000)
const raw = { type: 'image/jpeg', bytes: image }
const envelope = (device?: string) => ({
  type: 'application/json', bytes: Buffer.from(JSON.stringify({ image: image.toString('base64'), device }))
})
const form = (device: string) => ({
  type: 'multipart/form-data; boundary=x',
  bytes: Buffer.concat([
    Buffer.from(`--x\r\nContent-Disposition: form-data; name="device"\r\n\r\n${device}\r\n` +
      '--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'),
    image, Buffer.from('\r\n--x--\r\n')
  ])
})

/** Who gets past the gate, whatever is answered then. */
const table: ReadonlyArray<readonly [Route, readonly Caller[]]> = [
  ...['/livez', '/readyz', '/metrics', '/login'].map((path) => [{ path }, roles] as const),
  ...['/', '/list', '/api/v1/status', '/api/v1/images', '/api/v1/images/cam-1:a1', '/api/v1/images/cam-1:a1/content', '/api/v1/uplink', '/api/v1/slo']
    .map((path) => [{ path }, ['vera', 'otto', 'holder']] as const),
  ...[
    ['POST', '/api/v1/images/retry'], ['DELETE', '/api/v1/images'], ['POST', '/api/v1/images/cam-1:a1/retry'],
    ['POST', '/api/v1/images/cam-1:a1/prioritize'], ['DELETE', '/api/v1/images/cam-1:a9'], ['PATCH', '/api/v1/uplink/limits'],
    ['POST', '/api/v1/uplink/pause'], ['POST', '/api/v1/uplink/resume']
  ].map(([method = '', path = '']) => [{ method, path }, ['otto', 'holder']] as const),
  ...['/', '/api/v1/images'].flatMap((path) => [
    [{ method: 'POST', path: `${path}?device=cam-1`, body: raw }, ['cam-1', 'holder']] as const,
    [{ method: 'POST', path: `${path}?device=cam-2`, body: raw }, ['holder']] as const,
    [{ method: 'POST', path: `${path}?device=cam-10`, body: envelope() }, ['holder']] as const,
    [{ method: 'POST', path, body: envelope('cam-1') }, ['cam-1', 'holder']] as const,
    [{ method: 'POST', path, body: form('cam-1') }, ['cam-1', 'holder']] as const,
    [{ method: 'POST', path, body: form('cam-2') }, ['holder']] as const
  ])
]

async function start (t: TestContext, limits: Partial<HttpLimits> = {}): Promise<TestSite> {
  const revoked = { ids: new Set<string>(), subjects: new Set<string>() }
  const tokens = { keys: parseSecret(secret).keys, issuer: undefined, audience: undefined, revoked }
  const access = { ...await accessOf(users), tokens, roles: { operators: new Set(['otto']), viewers: new Set(['vera']) } }
  const site = await startSite(t, { access, http: { token: TOKEN, localToken: 'for-commands', limits } })
  await keep(site.spool, 'cam-1', 'a1', jpegOf(2000))
  return site
}

async function call (site: TestSite, { method = 'GET', path, body }: Route, headers: Record<string, string>): Promise<Answer> {
  const sent = body === undefined ? {} : { 'content-type': body.type, 'content-length': `${body.bytes.length}` }
  return await ask(`${site.url}${path}`, { method, headers: { ...headers, ...sent } }, body?.bytes)
}

test('every route that there is stands in the table', () => {
  const shown = new Set(table.map(([{ path }]) => path.split('?')[0]?.replace(/cam-1:\w+/, '{id}')))
  const all = catalogue.httpRequests.labels.route.filter((route) => route !== 'other')
  assert.deepEqual(all.filter((route) => !shown.has(route)), [])
})

test('every route is open to exactly those whom it is for', async (t) => {
  const site = await start(t)
  const wrong: string[] = []
  for (const [route, granted] of table) {
    for (const [headers, caller] of [...roles.map((role) => [headersOf[role], role] as const), ...byToken]) {
      const { status } = await call(site, route, headers)
      const isIn = status !== 401 && status !== 403
      if (isIn !== granted.includes(caller)) wrong.push(`${caller} ${route.method ?? 'GET'} ${route.path}: ${status}`)
    }
  }
  assert.deepEqual(wrong, [])
  const refused = site.events.filter((event) => event.kind === 'caller-refused')
  assert.ok(refused.length > 50, `${refused.length} refusals were told of`)
})

test('an envelope cannot name another device than the one who sends it', async (t) => {
  const site = await start(t)
  const route = { method: 'POST', path: '/', body: envelope('cam-2') }
  assert.equal((await call(site, route, headersOf['cam-1'])).status, 422)
  assert.equal((await call(site, { ...route, path: '/?device=cam-1' }, headersOf['cam-1'])).status, 422)
  assert.equal(site.spool.ledger.acknowledged, 1)
})

test('where auth.anonymous is never, nobody without a name sends, looks or orders, on this machine either', async (t) => {
  const site = await startSite(t, { access: await accessOf(users), http: { anonymous: 'never' } })
  for (const route of [{ path: '/api/v1/status' }, { method: 'POST', path: '/?device=cam-1', body: raw }, { method: 'POST', path: '/api/v1/uplink/pause' }]) {
    assert.equal((await call(site, route, {})).status, 401)
  }
  assert.equal((await call(site, { method: 'POST', path: '/?device=cam-1', body: raw }, headersOf['cam-1'])).status, 201)
})

test('a login gives a token and a cookie that stand for its user until it logs out', async (t) => {
  const site = await start(t)
  const login = (body: object, headers = {}) => ask(`${site.url}/login`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }, JSON.stringify(body))
  const { status, headers, body } = await login({ name: 'otto', password: 'four' })
  const { token, role } = JSON.parse(body) as { token: string, role: string }
  assert.deepEqual([status, role], [200, 'operator'])
  const set = headers['set-cookie']?.[0] ?? ''
  assert.match(set, /^sluice_login=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/)
  const cookie = set.split(';')[0] ?? ''
  const pause = { method: 'POST', path: '/api/v1/uplink/pause' }
  assert.equal((await call(site, pause, { authorization: `Bearer ${token}` })).status, 200)
  assert.equal((await call(site, pause, { cookie })).status, 200)
  assert.equal((await call(site, pause, { cookie, origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' })).status, 403)
  assert.match((await call(site, { path: '/' }, { cookie })).body, /data-method="DELETE" data-url="\/login">log out/)
  assert.equal((await call(site, { method: 'DELETE', path: '/login' }, { cookie })).status, 204)
  assert.equal((await call(site, pause, { authorization: `Bearer ${token}` })).status, 401)
  assert.deepEqual([(await login({ name: 'otto', password: 'x' })).status, (await login({ name: 'otto' })).status, (await login({ token: TOKEN })).status], [401, 400, 200])
  assert.equal((await login({ name: 'otto', password: 'four' }, { origin: 'https://evil.example' })).status, 403)
})

test('a browser that is nobody is led to a form, and from there to the page', async (t) => {
  const site = await start(t)
  const browser = { accept: 'text/html,*/*' }
  const led = await call(site, { path: '/' }, browser)
  assert.deepEqual([led.status, led.headers.location], [303, '/login'])
  const shown = await call(site, { path: '/login' }, browser)
  assert.match(shown.body, /<form method="post" action="\/login">/)
  assert.match(String(shown.headers['content-security-policy']), /form-action 'self'/)
  const fill = (text: string) => call(site, { method: 'POST', path: '/login', body: { type: 'application/x-www-form-urlencoded', bytes: Buffer.from(text) } }, browser)
  assert.equal((await fill('name=vera&password=no')).status, 401)
  const filled = await fill('name=vera&password=three')
  assert.deepEqual([filled.status, filled.headers.location], [303, '/'])
  assert.equal((await fill(`name=&password=${TOKEN}`)).status, 303)
  assert.equal((await call(site, { path: '/' }, { cookie: filled.headers['set-cookie']?.[0]?.split(';')[0] ?? '' })).status, 200)
})

test('the token in the data directory opens what an operator may', async (t) => {
  const site = await start(t)
  assert.equal((await call(site, { method: 'POST', path: '/api/v1/uplink/pause' }, { authorization: 'Bearer for-commands' })).status, 200)
})

const login = async (site: TestSite, shown: object): Promise<Answer> =>
  await ask(`${site.url}/login`, { method: 'POST', headers: { 'content-type': 'application/json' } }, JSON.stringify(shown))
const tokenOf = ({ body }: Answer): string => (JSON.parse(body) as { token: string }).token
const looksWith = async (site: TestSite, token: string): Promise<number> =>
  (await call(site, { path: '/api/v1/status' }, { authorization: `Bearer ${token}` })).status

test('a login gives no other login, so that it ends when it ends', async (t) => {
  const site = await start(t)
  for (const proof of [{ name: 'otto', password: 'four' }, { token: TOKEN }]) {
    const token = tokenOf(await login(site, proof))
    assert.equal(await looksWith(site, token), 200)
    assert.equal((await login(site, { token })).status, 401)
  }
})

test('a user who logs in without end ends logins of his own, and nobody else\'s', async (t) => {
  const site = await start(t, { loginsPerUserMax: 3, loginsMax: 5 })
  const others = [tokenOf(await login(site, { name: 'vera', password: 'three' })), tokenOf(await login(site, { token: TOKEN }))]
  const own: string[] = []
  for (let nth = 0; nth < 8; nth++) own.push(tokenOf(await login(site, { name: 'otto', password: 'four' })))
  assert.deepEqual(await Promise.all(others.map((token) => looksWith(site, token))), [200, 200])
  assert.deepEqual(await Promise.all(own.slice(4).map((token) => looksWith(site, token))), [401, 200, 200, 200])
  assert.equal((await login(site, { name: 'cam-1', password: 'one' })).status, 429, 'there is no room, and nobody loses his place')
  assert.equal((await call(site, { path: '/api/v1/status' }, headersOf.otto)).status, 200, 'a password with each request does')
  const limits = site.events.flatMap((event) => event.kind === 'http-limit-reached' ? [event.limit] : [])
  assert.deepEqual([...new Set(limits)], ['logins_per_user', 'logins'])
})

test('those who log in with http.token end no login of each other, and are refused once there is no room', async (t) => {
  const site = await start(t, { loginsPerUserMax: 2, loginsMax: 4 })
  const holders: string[] = []
  for (let nth = 0; nth < 4; nth++) holders.push(tokenOf(await login(site, { token: TOKEN })))
  assert.equal((await login(site, { token: TOKEN })).status, 429)
  assert.deepEqual(await Promise.all(holders.map((token) => looksWith(site, token))), [200, 200, 200, 200])
})

test('whoever guesses at http.token waits longer each time, and one who has shown it does not', async (t) => {
  const site = await start(t)
  const attempt = async (token: string): Promise<number> => {
    const startedAt = performance.now()
    await call(site, { path: '/api/v1/status' }, { authorization: `Bearer ${token}` })
    return performance.now() - startedAt
  }
  assert.equal(await looksWith(site, TOKEN), 200)
  const waits: number[] = []
  for (let nth = 0; nth < 6; nth++) waits.push(await attempt(`guess-${nth}`))
  assert.ok(waits.slice(4).every((ms) => ms > 200), waits.join(' '))
  const first = attempt('guess-7')
  assert.ok(await attempt(TOKEN) < 200)
  await first
})
