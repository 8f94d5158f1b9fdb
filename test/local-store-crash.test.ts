import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { request } from 'node:http'
import { test, type TestContext } from 'node:test'
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import { eventually } from './helpers/eventually.ts'
import { bucket, createTestClient, credentials, get, listDrafts, makeFolder, startTestStore } from './helpers/local-store.ts'
import { sign } from './helpers/s3-requests.ts'

const image = randomBytes(250_000)
const server = new URL('../bridge/local-store/server.ts', import.meta.url).href

interface StoreProcess {
  readonly endpoint: string
  readonly child: ChildProcess
}

/** The store in a process of its own, to be killed. */
async function spawnStore (t: TestContext, dir: string): Promise<StoreProcess> {
  const options = { listen: { host: '127.0.0.1', port: 0 }, dir, credentials, buckets: [bucket] }
  const script = `import { startLocalStore } from ${JSON.stringify(server)}
    const store = await startLocalStore(${JSON.stringify(options)})
    console.log(store.endpoint)`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => { child.kill('SIGKILL') })
  const [line] = await once(child.stdout, 'data') as [Buffer]
  return { endpoint: line.toString().trim(), child }
}

async function kill ({ child }: StoreProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** Sends the first part of a put and never the rest. */
function startPut (endpoint: string, key: string, body: Buffer): void {
  const { hostname: host, port } = new URL(endpoint)
  const path = `/${bucket}/${key}`
  const { headers } = sign({ endpoint, method: 'PUT', path, payload: 'UNSIGNED-PAYLOAD' })
  const outgoing = request({ host, port, method: 'PUT', path, headers: { ...headers, 'content-length': body.length } })
  outgoing.on('error', () => {})
  outgoing.write(body.subarray(0, body.length - 1))
}

test('a store that is killed in the middle of a put has the object it had before, or none', async (t) => {
  const dir = await makeFolder(t)
  const first = await spawnStore(t, dir)
  const client = createTestClient(first.endpoint)
  t.after(() => { client.destroy() })
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'there', Body: image, ContentType: 'image/jpeg' }))
  const large = randomBytes(2_000_000)
  startPut(first.endpoint, 'there', large)
  startPut(first.endpoint, 'new', large)
  await eventually(async () => {
    const drafts = await Promise.all((await listDrafts(dir)).map(async (path) => await stat(path)))
    return drafts.filter(({ size }) => size > 1_000_000).length === 2
  })
  await kill(first)

  const { client: after } = await startTestStore(t, { dir })
  const { bytes, ContentType } = await get(after, 'there')
  assert.deepEqual([bytes.equals(image), ContentType], [true, 'image/jpeg'])
  await assert.rejects(get(after, 'new'), { name: 'NoSuchKey' })
  const { Contents } = await after.send(new ListObjectsV2Command({ Bucket: bucket }))
  assert.deepEqual(Contents?.map(({ Key }) => Key), ['there'])
  assert.deepEqual(await listDrafts(dir), [], 'what was half-written is removed at the start')
})

test('of a store that is killed under load, every object that was answered for is whole', async (t) => {
  const dir = await makeFolder(t)
  const store = await spawnStore(t, dir)
  const client = createTestClient(store.endpoint)
  t.after(() => { client.destroy() })
  const stored = new Map<string, Buffer>()
  const killed = new AbortController()
  const senders = Array.from({ length: 8 }, async (_, sender) => {
    for (let i = 0; !killed.signal.aborted; i++) {
      const key = `cam-${sender}/${i % 3}` // overwritten again and again
      const body = randomBytes(20_000 + sender)
      try {
        const Metadata = { length: String(body.length) }
        await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, Metadata }))
        stored.set(key, body)
      } catch {
        stored.delete(key) // unknown whether the old or the new one is there
        return
      }
    }
  })
  await eventually(() => stored.size === 24)
  await kill(store)
  killed.abort()
  await Promise.all(senders)

  const { client: after, causes } = await startTestStore(t, { dir })
  for (const [key, body] of stored) {
    const object = await get(after, key)
    assert.deepEqual([object.bytes.equals(body), object.Metadata], [true, { length: String(body.length) }], key)
  }
  for (const { Key = '' } of (await after.send(new ListObjectsV2Command({ Bucket: bucket }))).Contents ?? []) {
    const object = await get(after, Key)
    assert.equal(object.Metadata?.['length'], String(object.bytes.length), `${Key} has the metadata of its own bytes`)
  }
  assert.deepEqual(causes, [])
})

test('a second store that is started on the folder by mistake leaves alone what the first is writing', async (t) => {
  const dir = await makeFolder(t)
  const first = await spawnStore(t, dir)
  startPut(first.endpoint, 'a', image)
  await eventually(async () => (await listDrafts(dir)).length === 1)
  await startTestStore(t, { dir })
  assert.equal((await listDrafts(dir)).length, 1)
})

test('creators with If-None-Match cannot both win, even through two stores on one folder', async (t) => {
  const dir = await makeFolder(t)
  const stores = await Promise.all([spawnStore(t, dir), spawnStore(t, dir)])
  const clients = stores.map(({ endpoint }) => createTestClient(endpoint))
  t.after(() => { for (const client of clients) client.destroy() })
  for (let round = 0; round < 10; round++) {
    const outcomes = await Promise.allSettled(clients.map(async (client, i) => await client.send(
      new PutObjectCommand({ Bucket: bucket, Key: `new-${round}`, Body: `creator ${i}`, IfNoneMatch: '*' }))))
    const winner = outcomes.findIndex(({ status }) => status === 'fulfilled')
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    for (const client of clients) assert.equal((await get(client, `new-${round}`)).bytes.toString(), `creator ${winner}`)
  }
})
