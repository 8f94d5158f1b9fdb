// What every object store does, whatever is behind it. A store's own test file runs this with a
// factory; what only one kind of store does is tested there.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test, type TestContext, type TestOptions } from 'node:test'
import { crc32 } from 'node:zlib'
import type { ObjectStore, StoreObject } from '../../bridge/objects/object-store.ts'

/** What is wrong between us and the store. `stalled`: it takes everything and never answers. */
export type Trouble = 'none' | 'missing-bucket' | 'wrong-secret' | 'down' | 'stalled'

export interface StoreUnderTest {
  /** A store for one test, closed after it. A stalled one is given up after `TIMEOUT_MS`. */
  open (trouble: Trouble): Promise<ObjectStore>
  /** What the store itself says about an object; undefined where nothing else can ask it. */
  head?: (key: string) => Promise<Head>
}

export interface Head {
  readonly contentType: string
  readonly metadata: Readonly<Record<string, string>>
}

export const TIMEOUT_MS = 300

const signal = new AbortController().signal

export function objectOf (body: Buffer, key = `cam-1/${randomBytes(6).toString('hex')}.jpg`): StoreObject {
  const sha256 = createHash('sha256').update(body).digest('hex')
  const metadata = { 'device-id': 'cam-1', sha256 }
  return { key, body, contentType: 'image/jpeg', metadata, sha256, crc32: crc32(body) }
}

export function objectStoreContract (
  name: string, start: (t: TestContext) => Promise<StoreUnderTest>, options: Pick<TestOptions, 'skip'> = {}
): void {
  const claim = (words: string, run: (store: StoreUnderTest) => Promise<void>) => {
    test(`${name}: ${words}`, options, async (t) => await run(await start(t)))
  }

  for (const bytes of [0, 1, 250_000, 3_000_000, 20_000_000]) {
    claim(`${bytes} bytes come back byte for byte`, async ({ open }) => {
      const store = await open('none')
      const object = objectOf(randomBytes(bytes))
      const outcome = await store.put(object, signal)
      assert.equal(outcome.kind, 'stored', JSON.stringify(outcome))
      assert.ok((await store.get(object.key, signal))?.equals(object.body))
    })
  }

  claim('keys keep every character', async ({ open }) => {
    const store = await open('none')
    for (const key of ['a b+c&d=e.jpg', 'dév/日本.jpg', "a'(b)!*~.jpg", 'pct%2Fenc.jpg', 'q?x=1#y.jpg']) {
      const object = objectOf(Buffer.from(key), key)
      assert.equal((await store.put(object, signal)).kind, 'stored', key)
      assert.equal((await store.get(key, signal))?.toString(), key)
    }
  })

  claim('content type and metadata arrive, any text in ASCII', async ({ open, head }) => {
    if (head === undefined) return
    const store = await open('none')
    const metadata = { 'device-id': 'cam-1', note: 'Grüße, 日本 📷', blank: '  x ', plain: 'a=b; "d"' }
    const object = { ...objectOf(randomBytes(100)), contentType: 'image/png', metadata }
    assert.equal((await store.put(object, signal)).kind, 'stored')
    const there = await head(object.key)
    assert.equal(there.contentType, 'image/png')
    assert.deepEqual(Object.keys(there.metadata).sort(), Object.keys(metadata).sort())
    assert.equal(there.metadata['plain'], metadata.plain)
    assert.equal(decodeWords(there.metadata['note'] ?? ''), metadata.note)
    assert.equal(decodeWords(there.metadata['blank'] ?? ''), metadata.blank)
  })

  claim('a metadata name that no header can have is the object\'s fault', async ({ open }) => {
    const store = await open('none')
    const outcome = await store.put({ ...objectOf(randomBytes(9)), metadata: { 'a b': 'x' } }, signal)
    assert.equal(outcome.kind === 'refused' && outcome.reason, 'bad_metadata')
  })

  claim('a key that is not there is undefined', async ({ open }) => {
    assert.equal(await (await open('none')).get('no/such/key.jpg', signal), undefined)
  })

  claim('the same key again holds the later bytes', async ({ open }) => {
    const store = await open('none')
    const [first, second] = [objectOf(randomBytes(1000)), objectOf(randomBytes(2000))]
    await store.put(first, signal)
    assert.equal((await store.put({ ...second, key: first.key }, signal)).kind, 'stored')
    assert.ok((await store.get(first.key, signal))?.equals(second.body))
  })

  claim('bytes that are not those of the SHA-256 are not stored', async ({ open }) => {
    const store = await open('none')
    const object = { ...objectOf(randomBytes(5000)), body: randomBytes(5000) }
    const outcome = await store.put(object, signal)
    assert.ok(outcome.kind === 'refused' || (outcome.kind === 'unavailable' && outcome.reason === 'checksum'),
      JSON.stringify(outcome))
    assert.equal(await store.get(object.key, signal), undefined)
  })

  claim('damaged bytes do not replace what is there', async ({ open }) => {
    const store = await open('none')
    const object = objectOf(randomBytes(5000))
    await store.put(object, signal)
    assert.notEqual((await store.put({ ...object, body: randomBytes(5000) }, signal)).kind, 'stored')
    assert.ok((await store.get(object.key, signal))?.equals(object.body))
  })

  claim('a probe of a store that works says so', async ({ open }) => {
    assert.deepEqual(await (await open('none')).probe(signal), { kind: 'available' })
  })

  const troubles = [
    ['missing-bucket', 'no_bucket'], ['wrong-secret', 'auth'], ['down', 'connect'], ['stalled', 'timeout']
  ] as const
  for (const [trouble, reason] of troubles) {
    claim(`${trouble}: a put or a probe is unavailable, ${reason}, in a sentence`, async ({ open }) => {
      const store = await open(trouble)
      const outcomes = [await store.put(objectOf(randomBytes(1000)), signal), await store.probe(signal)]
      for (const outcome of outcomes) {
        assert.ok(outcome.kind === 'unavailable', JSON.stringify(outcome))
        assert.equal(outcome.reason, reason, outcome.detail)
        assert.doesNotMatch(outcome.detail, /\n|\bat .*:\d+:\d+|undefined|\{/)
      }
    })

    claim(`${trouble}: get rejects in a sentence`, async ({ open }) => {
      const store = await open(trouble)
      await assert.rejects(store.get('a.jpg', signal), /^Error: .{20,}$/)
    })
  }

  claim('a put that is stopped settles at once, whatever the store does', async ({ open }) => {
    const store = await open('stalled')
    const stop = new AbortController()
    const outcome = store.put(objectOf(randomBytes(3_000_000)), stop.signal)
    setImmediate(() => stop.abort(new Error('shutdown')))
    const startedAt = performance.now()
    assert.equal(await outcome.then((o) => o.kind === 'unavailable' && o.reason), 'aborted')
    assert.ok(performance.now() - startedAt < TIMEOUT_MS)
  })

  claim('a put with a signal that is aborted already sends nothing', async ({ open }) => {
    const store = await open('none')
    const object = objectOf(randomBytes(1000))
    const outcome = await store.put(object, AbortSignal.abort())
    assert.equal(outcome.kind === 'unavailable' && outcome.reason, 'aborted')
    assert.equal(await store.get(object.key, signal), undefined)
  })
}

/** [RFC 2047] as far as base64 in UTF-8. */
function decodeWords (text: string): string {
  return text.replace(/(?<=\?=) (?==\?)/g, '').replace(/=\?UTF-8\?B\?([^?]*)\?=/gi, (_all, word: string) =>
    Buffer.from(word, 'base64').toString())
}
