import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { GetObjectCommand, S3Client, type GetObjectCommandInput, type S3ClientConfig } from '@aws-sdk/client-s3'
import { startLocalStore, type LocalStore, type LocalStoreOptions } from '../../bridge/local-store/server.ts'

export const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret-for-tests' }
export const region = 'us-east-1'
export const bucket = 'images'

export interface TestStore extends LocalStore {
  /** Where the objects lie. */
  readonly dir: string
  /** A client that asks once and does not try again. */
  readonly client: S3Client
  /** What the store said was its own fault. */
  readonly causes: readonly Error[]
}

/** A local store on a free port, in a folder of its own, with the bucket `images`. It goes with the test. */
export async function startTestStore (t: TestContext, options: Partial<LocalStoreOptions> = {}): Promise<TestStore> {
  const dir = options.dir ?? await makeFolder(t)
  const causes: Error[] = []
  const store = await startLocalStore({
    listen: { host: '127.0.0.1', port: 0 },
    credentials,
    region,
    buckets: [bucket],
    closeMsMax: 100,
    onFault: (cause) => { causes.push(cause) },
    ...options,
    dir
  })
  const client = createTestClient(store.endpoint)
  t.after(async () => {
    client.destroy()
    await store.close()
  })
  return { ...store, dir, client, causes }
}

export function createTestClient (endpoint: string, options: Partial<S3ClientConfig> = {}): S3Client {
  return new S3Client({ endpoint, region, forcePathStyle: true, credentials, maxAttempts: 1, ...options })
}

export async function makeFolder (t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'local-store-'))
  t.after(async () => { await rm(dir, { recursive: true, force: true }) })
  return dir
}

/** Of the files that are being written now, by any process. */
export async function listDrafts (dir: string): Promise<string[]> {
  const entries = await readdir(join(dir, '.drafts'), { withFileTypes: true, recursive: true })
  return entries.filter((entry) => entry.isFile()).map(({ path, name }) => join(path, name))
}

/** The answer to a GET, and its bytes. */
export async function get (client: S3Client, Key: string, more: Partial<GetObjectCommandInput> = {}) {
  const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key, ...more }))
  return { ...answer, bytes: Buffer.from(await answer.Body?.transformToByteArray() ?? []) }
}
