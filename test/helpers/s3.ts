// S3 stores to test with: the local one, and servers that answer whatever a test tells them to.

import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { startLocalStore, type LocalStore } from '../../bridge/local-store/server.ts'
import type { ObjectStore } from '../../bridge/objects/object-store.ts'
import { createAgents, type Agents } from '../../bridge/objects/paced-agent.ts'
import type { Pacing } from '../../bridge/objects/paced-socket.ts'
import { createS3Store, type S3Options } from '../../bridge/objects/s3.ts'
import { freeLine, listen } from './line.ts'

export const BUCKET = 'images'
export const CREDENTIALS = { accessKeyId: 'TESTACCESS', secretAccessKey: 'TESTSECRET1234567890' }

/** A local store in a folder of its own, with the bucket. */
export async function startTestStore (t: TestContext): Promise<LocalStore> {
  const dir = await mkdtemp(join(tmpdir(), 'objects-'))
  const listen = { host: '127.0.0.1', port: 0 }
  const options = { listen, dir, credentials: CREDENTIALS, buckets: [BUCKET], closeMsMax: 100 }
  const store = await startLocalStore(options)
  t.after(async () => {
    await store.close()
    await rm(dir, { recursive: true })
  })
  return store
}

/** A client of the store at `endpoint`, closed after the test. */
export function storeAt (
  t: TestContext, endpoint: string, options: Partial<S3Options> = {}, line: Pacing = freeLine()
): { store: ObjectStore, agents: Agents } {
  const agents = createAgents({ ...line, maxSockets: 4 })
  const store = createS3Store({
    endpoint,
    region: 'us-east-1',
    bucket: BUCKET,
    pathStyle: 'auto',
    credentials: CREDENTIALS,
    ifNoneMatch: false,
    integrity: 'sha256',
    partBytes: 8 * 2 ** 20,
    timeoutMs: 5000,
    agents,
    ...options
  })
  t.after(() => store.close())
  return { store, agents }
}

/** Answers a request whose body has been read. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** The endpoint of a server that reads each request and then answers as told. */
export async function startScripted (t: TestContext, answer: Answer): Promise<string> {
  return await startServer(t, (request, response) => {
    request.resume()
    request.on('error', () => {})
    request.on('end', () => answer(request, response))
  })
}

/** The endpoint of a server that does what `handle` does, from the header on. */
export async function startServer (t: TestContext, handle: RequestListener): Promise<string> {
  return `http://127.0.0.1:${(await listen(t, createServer(handle))).port}`
}
