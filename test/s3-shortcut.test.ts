// After the first put requests are filled in, not made by the client's chain (objects/s3-shortcut.ts). They must be
// what the chain would have made, and what goes wrong with them must mean what it means there. What the chain makes
// carries the client's name for an attempt, `amz-sdk-request`.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import type { ObjectStore, PutOutcome } from '../bridge/objects/object-store.ts'
import type { S3Options } from '../bridge/objects/s3.ts'
import { objectOf } from './contract/object-store.ts'
import { eventually } from './helpers/eventually.ts'
import { startServer, storeAt } from './helpers/s3.ts'

const { signal } = new AbortController()

interface Seen {
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly isChains: boolean
}

/** A server that answers each put as `answer` says, and a store there. */
async function startSeen (
  t: TestContext, answer: (response: ServerResponse, nth: number) => void, options: Partial<S3Options> = {}
): Promise<{ store: ObjectStore, seen: Seen[] }> {
  const seen: Seen[] = []
  const endpoint = await startServer(t, (request, response) => {
    const { url, headers } = request
    seen.push({ url, headers, isChains: 'amz-sdk-request' in headers })
    const nth = seen.length
    request.on('error', () => {}).resume().on('end', () => { answer(response, nth) })
  })
  return { seen, store: storeAt(t, endpoint, options).store }
}

function stored (response: ServerResponse): void {
  response.setHeader('etag', '"1"').end()
}

/** Every header but those that differ from one request to the next. */
function lasting (headers: IncomingMessage['headers']): Record<string, unknown> {
  const { authorization, 'amz-sdk-request': _, 'amz-sdk-invocation-id': __, 'x-amz-date': ___, ...others } = headers
  return { ...others, scope: /Credential=([^,]*)/.exec(authorization ?? '')?.[1] }
}

test('from the second put on requests are filled in, and are what the client would have sent', async (t) => {
  const object = objectOf(Buffer.from('an image'), "a b/dé+v&c=d/(1)'*!~%2F?x#.jpg")
  const named = { ...object, metadata: { ...object.metadata, 'Image-Id': 'a  b', note: 'Grüße' } }
  for (const options of [{}, { integrity: 'md5' }, { integrity: 'crc32' }, { ifNoneMatch: true }] as const) {
    const { store, seen } = await startSeen(t, stored, options)
    const [first, second] = [await store.put(named, signal), await store.put(named, signal)]
    assert.deepEqual([first, second], Array(2).fill({ kind: 'stored', etag: '1' }))
    assert.deepEqual(seen.map(({ isChains }) => isChains), [true, false])
    assert.equal(seen[1]?.url, seen[0]?.url)
    assert.deepEqual(lasting(seen[1]?.headers ?? {}), lasting(seen[0]?.headers ?? {}))
  }
})

const S3_ERROR = '<?xml version="1.0"?><Error><Code>CODE</Code><Message>in its words</Message></Error>'
const ANSWERS: ReadonlyArray<readonly [status: number, body: string]> = [
  [403, S3_ERROR.replace('CODE', 'AccessDenied')], [404, S3_ERROR.replace('CODE', 'NoSuchBucket')],
  [503, S3_ERROR.replace('CODE', 'SlowDown')], [400, S3_ERROR.replace('CODE', 'BadDigest')],
  [400, S3_ERROR.replace('CODE', 'EntityTooLarge')], [412, S3_ERROR.replace('CODE', 'PreconditionFailed')],
  [301, S3_ERROR.replace('CODE', 'PermanentRedirect')], [500, ''], [502, '<html>a proxy</html>']
]

for (const [status, body] of ANSWERS) {
  test(`HTTP ${status} ${/<Code>(\w+)</.exec(body)?.[1] ?? body} means the same in the short way`, async (t) => {
    const isBad = [true, false, true, false]
    const { store, seen } = await startSeen(t, (response, nth) => {
      if (isBad[nth - 1] === true) response.writeHead(status).end(body)
      else stored(response)
    })
    const outcomes: PutOutcome[] = []
    for (let put = 0; put < 5; put++) outcomes.push(await store.put(objectOf(randomBytes(100)), signal))
    assert.deepEqual(seen.map(({ isChains }) => isChains), [true, true, false, true, false], 'each sent once')
    assert.notEqual(outcomes[0]?.kind, 'stored')
    assert.deepEqual(outcomes[2], outcomes[0])
    assert.deepEqual(outcomes.map(({ kind }) => kind === 'stored'), [false, true, false, true, true])
  })
}

test('a connection that breaks means the same in the short way, and the client makes the next request', async (t) => {
  const { store, seen } = await startSeen(t, (response, nth) => {
    if (nth % 2 === 1) response.destroy()
    else stored(response)
  })
  const outcomes: PutOutcome[] = []
  for (let put = 0; put < 5; put++) outcomes.push(await store.put(objectOf(randomBytes(100)), signal))
  assert.equal(outcomes[0]?.kind === 'unavailable' && outcomes[0].reason, 'reset')
  assert.deepEqual([outcomes[2], outcomes[4]], [outcomes[0], outcomes[0]])
  assert.deepEqual(seen.map(({ isChains }) => isChains), [true, true, false, true, false])
})

test('an answer that breaks off is no success', async (t) => {
  const { store } = await startSeen(t, (response, nth) => {
    response.setHeader('etag', '"1"')
    if (nth === 1) response.end()
    else response.writeHead(200, { 'content-length': 10 }).write('12', () => { response.destroy() })
  })
  assert.equal((await store.put(objectOf(randomBytes(100)), signal)).kind, 'stored')
  assert.equal((await store.put(objectOf(randomBytes(100)), signal)).kind, 'unavailable')
})

test('the clock of a store that is an hour ahead is followed', async (t) => {
  const hour = 3_600_000
  const ahead = (headers: IncomingMessage['headers'] = {}): boolean => {
    const [, y, m, d, h, min] = /^(....)(..)(..)T(..)(..)/.exec(String(headers['x-amz-date'])) ?? []
    return Date.parse(`${y}-${m}-${d}T${h}:${min}:00Z`) > Date.now() + hour / 2
  }
  const { store, seen } = await startSeen(t, (response, nth) => {
    response.setHeader('date', new Date(Date.now() + (nth === 1 ? 0 : hour)).toUTCString())
    if (nth === 2) response.writeHead(403).end(S3_ERROR.replace('CODE', 'RequestTimeTooSkewed'))
    else stored(response)
  })
  for (let put = 0; put < 4; put++) await store.put(objectOf(randomBytes(100)), signal)
  assert.deepEqual(seen.map(({ headers }) => ahead(headers)), [false, false, true, true])
  assert.deepEqual(seen.map(({ isChains }) => isChains), [true, false, true, false])
})

test('a put that is cut in the short way leaves no connection behind', async (t) => {
  const cut = new AbortController()
  let closed = false
  const { store } = await startSeen(t, (response, nth) => {
    if (nth === 1) return stored(response)
    response.on('close', () => { closed = true })
    cut.abort()
  })
  await store.put(objectOf(randomBytes(100)), signal)
  const outcome = await store.put(objectOf(randomBytes(100)), cut.signal)
  assert.equal(outcome.kind === 'unavailable' && outcome.reason, 'aborted')
  await eventually(() => closed)
})

test('credentials of the environment with a session token sign the short way, too, and the next ones once they are over', async (t) => {
  const give = (values: Readonly<Record<string, string | undefined>>): void => {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
  const session = (nth: number): Readonly<Record<string, string>> => ({
    AWS_ACCESS_KEY_ID: `KEY${nth}`,
    AWS_SECRET_ACCESS_KEY: `secret ${nth}`,
    AWS_SESSION_TOKEN: `session ${nth}`,
    AWS_CREDENTIAL_EXPIRATION: new Date(Date.now() - 1).toISOString() // or the chain asks for the next one meanwhile
  })
  const before = Object.fromEntries(Object.keys(session(1)).map((name) => [name, process.env[name]]))
  t.after(() => { give(before) })
  const { store, seen } = await startSeen(t, stored, { credentials: undefined })
  for (let nth = 1; nth <= 3; nth++) {
    give(session(nth))
    assert.equal((await store.put(objectOf(randomBytes(100)), signal)).kind, 'stored')
  }
  assert.deepEqual(seen.map(({ isChains }) => isChains), [true, false, false])
  assert.deepEqual(seen.map(({ headers }) => headers['x-amz-security-token']), ['session 1', 'session 2', 'session 3'])
  const keys = seen.map(({ headers }) => /Credential=(\w+)/.exec(headers.authorization ?? '')?.[1])
  assert.deepEqual(keys, ['KEY1', 'KEY2', 'KEY3'])
})
