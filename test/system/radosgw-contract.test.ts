// The contract of an object store, and one that somebody else wrote; test/s3-store.test.ts holds the local store to it.

import { after, type TestContext } from 'node:test'
import { CreateBucketCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { objectStoreContract, TIMEOUT_MS, type Head, type StoreUnderTest } from '../contract/object-store.ts'
import { storeAt } from '../helpers/s3.ts'
import { missing } from './peers.ts'
import { CEPH_COMMANDS, GATEWAY_KEYS, GATEWAY_REGION, startRadosgw, type Gateway } from './radosgw.ts'

const BUCKET = 'contract'
/** A port that nothing listens on. */
const NOBODY = 'http://127.0.0.1:1'

interface Shared {
  readonly gateway: Gateway
  readonly client: S3Client
}

/** One Ceph for all claims: it takes longer to start than they do. */
let shared: Promise<Shared> | undefined
const endings: Array<() => unknown> = []
after(async () => { for (const end of endings) await end() })

async function start (): Promise<Shared> {
  const gateway = await startRadosgw({ after: (end: () => unknown) => { endings.push(end) } })
  const client = new S3Client({
    endpoint: gateway.endpoint, region: GATEWAY_REGION, forcePathStyle: true, credentials: GATEWAY_KEYS
  })
  endings.push(() => { client.destroy() })
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }))
  return { gateway, client }
}

async function storeUnderTest (t: TestContext): Promise<StoreUnderTest> {
  const { gateway, client } = await (shared ??= start())
  return {
    async open (trouble) {
      if (trouble === 'stalled') {
        gateway.pause()
        t.after(() => { gateway.resume() })
      }
      return storeAt(t, trouble === 'down' ? NOBODY : gateway.endpoint, {
        integrity: 'md5',
        region: GATEWAY_REGION,
        bucket: trouble === 'missing-bucket' ? 'no-such-bucket' : BUCKET,
        credentials: trouble === 'wrong-secret' ? { ...GATEWAY_KEYS, secretAccessKey: 'wrong' } : GATEWAY_KEYS,
        timeoutMs: trouble === 'stalled' ? TIMEOUT_MS : 10_000
      }).store
    },
    async head (key): Promise<Head> {
      const { ContentType, Metadata } = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: key }))
      return { contentType: ContentType ?? '', metadata: Metadata ?? {} }
    }
  }
}

objectStoreContract('S3 on radosgw', storeUnderTest, { skip: missing(...CEPH_COMMANDS) })
