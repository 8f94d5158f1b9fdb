import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createServer as createTcpServer } from 'node:net'
import { test } from 'node:test'
import type { PutOutcome } from '../bridge/objects/object-store.ts'
import { formatMetadata, formatMetadataValue } from '../bridge/objects/s3-metadata.ts'
import { mayPut } from '../bridge/uplink/breaker.ts'
import { objectOf } from './contract/object-store.ts'
import { listen } from './helpers/line.ts'
import { startScripted, startServer, storeAt } from './helpers/s3.ts'

const signal = new AbortController().signal

// What servers really say: status, code in the XML body or none, and what it must come to.
const answers = [
  [403, 'AccessDenied', 'auth'],
  [403, 'InvalidAccessKeyId', 'auth'],
  [403, 'SignatureDoesNotMatch', 'auth'],
  [400, 'ExpiredToken', 'auth'],
  [403, 'RequestTimeTooSkewed', 'auth'],
  [400, 'AuthorizationHeaderMalformed', 'auth'],
  [403, undefined, 'auth'],
  [404, 'NoSuchBucket', 'no_bucket'],
  [400, 'InvalidBucketName', 'no_bucket'],
  [301, 'PermanentRedirect', 'no_bucket'],
  [503, 'SlowDown', 'throttled'],
  [429, undefined, 'throttled'],
  [500, 'InternalError', 'server_error'],
  [503, 'ServiceUnavailable', 'server_error'],
  [502, undefined, 'server_error'],
  [302, undefined, 'server_error'],
  [400, undefined, 'server_error'],
  [418, 'SomethingNew', 'server_error'],
  [403, 'QuotaExceeded', 'server_error'],
  [409, 'ConditionalRequestConflict', 'server_error'],
  [400, 'RequestTimeout', 'timeout'],
  [400, 'BadDigest', 'checksum'],
  [400, 'XAmzContentSHA256Mismatch', 'checksum'],
  [400, 'IncompleteBody', 'reset'],
  [400, 'EntityTooLarge', 'refused: too_large'],
  [413, undefined, 'refused: too_large'],
  [400, 'KeyTooLongError', 'refused: bad_key'],
  [400, 'MetadataTooLarge', 'refused: bad_metadata'],
  [400, 'InvalidArgument', 'refused: store_refused'],
  [400, 'InvalidRequest', 'refused: store_refused']
] as const

test('every answer of a server is somebody\'s fault, in one plain sentence', async (t) => {
  let answer: readonly [number, string | undefined] = [200, undefined]
  const endpoint = await startScripted(t, (_request, response) => {
    const [status, code] = answer
    const words = code === undefined ? '<html>a page of\n a proxy' : errorDocument(code)
    response.writeHead(status, { 'content-type': 'application/xml' }).end(words)
  })
  const { store } = storeAt(t, endpoint)
  for (const [status, code, expected] of answers) {
    answer = [status, code]
    const outcome = await store.put(objectOf(randomBytes(10)), signal)
    assert.equal(inShort(outcome), expected, `${status} ${code}: ${JSON.stringify(outcome)}`)
    assert.ok(outcome.kind !== 'stored')
    assert.match(outcome.detail, /^[^\n{}<>]{20,300}$/)
    assert.doesNotMatch(outcome.detail, /undefined|Deserialization|\$|TESTSECRET/)
  }
})

test('a missing bucket is said with its name, where it is missing and what to do', async (t) => {
  const endpoint = await startScripted(t, (_request, response) => {
    response.writeHead(404).end(errorDocument('NoSuchBucket'))
  })
  const { store } = storeAt(t, endpoint, { bucket: 'pictures' })
  const outcome = await store.put(objectOf(randomBytes(10)), signal)
  assert.equal(outcome.kind === 'unavailable' && outcome.detail,
    `bucket "pictures" does not exist at ${endpoint}: create it, or set s3.bucket`)
})

test('an answer of 200 that is not from an S3 server is no success', async (t) => {
  const endpoint = await startScripted(t, (_request, response) => response.end('<html>please log in</html>'))
  const { store } = storeAt(t, endpoint)
  assert.equal(inShort(await store.put(objectOf(randomBytes(10)), signal)), 'server_error')
})

test('trouble on the line is unavailable, by its kind', async (t) => {
  const reset = await startServer(t, ({ socket }) => { socket.resetAndDestroy() })
  const { port } = await listen(t, createTcpServer((socket) => { socket.end('SSH-2.0-server\r\n') }))
  const cases = [
    [reset, 'reset'],
    [`http://127.0.0.1:${port}`, 'server_error'],
    ['http://no-such-host.invalid', 'dns'],
    [reset.replace('http:', 'https:'), 'tls']
  ] as const
  for (const [endpoint, expected] of cases) {
    const { store } = storeAt(t, endpoint)
    const outcome = await store.put(objectOf(randomBytes(10)), signal)
    assert.equal(inShort(outcome), expected, JSON.stringify(outcome))
    assert.ok(outcome.kind !== 'stored' && /^[^\n{}]{20,400}$/.test(outcome.detail), JSON.stringify(outcome))
  }
})

test('credentials that no header can carry are not the image\'s fault', async (t) => {
  const endpoint = await startScripted(t, (_request, response) => response.end())
  const credentials = { accessKeyId: 'two\nlines', secretAccessKey: 'x' }
  const outcome = await storeAt(t, endpoint, { credentials }).store.put(objectOf(randomBytes(10)), signal)
  assert.equal(inShort(outcome), 'auth', JSON.stringify(outcome))
  assert.ok(outcome.kind === 'unavailable' && !outcome.detail.includes('\n'))
})

test('a key that no URL can carry is the object\'s fault', async (t) => {
  const endpoint = await startScripted(t, (_request, response) => response.setHeader('etag', '"1"').end())
  const outcome = await storeAt(t, endpoint).store.put(objectOf(randomBytes(10), 'a\ud800.jpg'), signal)
  assert.equal(inShort(outcome), 'refused: bad_key')
})

test('metadata goes as it is where it is plain ASCII, else as RFC 2047 words', () => {
  for (const plain of ['', 'cam-1', 'a = b; c', '2026-01-02T03:04:05.678Z', '~!@#$%^&*()_+|"<>?']) {
    assert.equal(formatMetadataValue(plain), plain)
  }
  for (const text of ['ü', ' x', 'x ', 'a\nb', '=?UTF-8?B?eA==?=', '\t', '📷'.repeat(50), 'ß'.repeat(500)]) {
    const words = formatMetadataValue(text).split(' ')
    assert.ok(words.every((word) => word.length <= 75)) // as RFC 2047 has it
    const base64 = words.map((word) => /^=\?UTF-8\?B\?(.*)\?=$/.exec(word)?.[1] ?? '')
    assert.equal(base64.map((word) => Buffer.from(word, 'base64').toString()).join(''), text)
  }
  assert.deepEqual(formatMetadata({ 'Device-Id': 'x' }), { 'device-id': 'x' })
  assert.equal(formatMetadata({ 'a b': 'x' }), undefined)
})

function errorDocument (code: string): string {
  return `<?xml version="1.0"?><Error><Code>${code}</Code><Message>words of\n the server</Message></Error>`
}

function inShort (outcome: PutOutcome): string {
  switch (outcome.kind) {
    case 'stored': return 'stored'
    case 'unavailable': return outcome.reason
    case 'refused': return `refused: ${outcome.reason}`
  }
}

test('only a key that the store takes and the bucket is closed to may still be able to put', async (t) => {
  let code = ''
  const endpoint = await startScripted(t, (_request, response) => {
    response.writeHead(403, { 'content-type': 'application/xml' }).end(errorDocument(code))
  })
  const { store } = storeAt(t, endpoint)
  const left: Array<readonly [string, boolean]> = []
  for (code of ['AccessDenied', 'InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken', 'RequestTimeTooSkewed']) {
    left.push([code, mayPut(await store.probe(signal))])
  }
  assert.deepEqual(left.filter(([, may]) => may), [['AccessDenied', true]])
})
