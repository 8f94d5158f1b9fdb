import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from './config/config.ts'
import type { Observe } from './events.ts'
import { readOrCreateCredentials, startLocalStore, type Credentials, type LocalStore } from './local-store/server.ts'
import type { ObjectStore } from './objects/object-store.ts'
import type { BodyCount } from './objects/body-count.ts'
import { createAgents } from './objects/paced-agent.ts'
import { createS3Store } from './objects/s3.ts'
import type { Allowance } from './uplink/allowance.ts'

export interface OpenStore {
  readonly store: ObjectStore
  /** The embedded one, where no other is configured. */
  readonly localStore: LocalStore | undefined
  /** Bytes handed to the wire since the start. */
  sentBytes (): number
  /** So many puts may run side by side from now on. */
  configure (concurrency: number): void
  /** What of a body goes to the wire from now on (objects/paced-agent.ts). */
  countBody (body: Buffer): BodyCount | undefined
  close (): Promise<void>
}

/** The store that is configured, or the local one: both behind the same S3 client and the same allowance. */
export async function openStore (config: Config, allowance: Allowance, observe: Observe): Promise<OpenStore> {
  const { s3, uplink } = config
  const agents = createAgents({
    pace: (bytes, signal) => allowance.pace(bytes, signal),
    paceBytesMax: () => allowance.pieceBytesMax,
    maxSockets: socketsMax(uplink.concurrency)
  })
  const local = s3.local ? await openLocalStore(config, observe) : undefined
  const store = createS3Store({
    ...s3,
    endpoint: local?.localStore.endpoint ?? s3.endpoint,
    credentials: local?.credentials ?? readCredentials(s3),
    partBytes: s3.partSize,
    timeoutMs: uplink.timeoutMs,
    agents
  })
  return {
    store,
    localStore: local?.localStore,
    sentBytes: () => agents.sentBytes(),
    configure (concurrency) { agents.http.maxSockets = agents.https.maxSockets = socketsMax(concurrency) },
    countBody: (body) => agents.countBody(body),
    async close () {
      store.close()
      agents.destroy()
      await local?.localStore.close()
    }
  }
}

/** A probe and a look at a stored image need not wait for puts. */
function socketsMax (concurrency: number): number { return concurrency + 2 }

function readCredentials ({ accessKeyId, secretAccessKey }: Config['s3']): Credentials | undefined {
  return accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey }
}

async function openLocalStore (
  { dataDir, s3, localStore: { listen, dir } }: Config, observe: Observe
): Promise<{ localStore: LocalStore, credentials: Credentials }> {
  const file = join(dataDir, 'local-store.json')
  const credentials = await readOrCreateCredentials(file)
  const localStore = await startLocalStore({
    listen,
    dir,
    credentials,
    region: s3.region,
    buckets: [s3.bucket],
    onFault: (cause) => { observe({ kind: 'store-fault', cause }) }
  })
  // For whoever wants to look into it with an S3 client: where it is this time, and its keys.
  const access = { ...credentials, endpoint: localStore.endpoint, region: s3.region, bucket: s3.bucket }
  await writeFile(`${file}.new`, `${JSON.stringify(access, undefined, 2)}\n`, { mode: 0o600, flush: true })
  await rename(`${file}.new`, file)
  return { localStore, credentials }
}
