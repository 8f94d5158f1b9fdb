import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request, type Agent, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { createAgents } from '../bridge/objects/paced-agent.ts'
import { createS3Store } from '../bridge/objects/s3.ts'
import { Child, readCpuSeconds } from './child.ts'
import { runLoad } from './load.ts'
import { startService, withTempDirectory } from './subject.ts'

export interface DrainRow {
  readonly images: number
  readonly bytes: number
  readonly imagesPerSecond: number
  /** Of the whole service: reading from the spool, hashing, signing, sending, marking. */
  readonly cpuMsPerImage: number
  /** Of that, what the thread that runs all of the code takes: it bounds the rate. */
  readonly mainCpuMsPerImage: number
  /** Of that, what the S3 client takes beyond a plain HTTP request with the same body. */
  readonly sdkCpuMsPerPut: number
  readonly peakMegabytes: number
}

interface Point {
  readonly stored: number
  readonly at: number
}

/** How fast a backlog leaves where nothing limits it, for a store that drops what it gets. */
export async function benchDrain (images: number, bytes = 250_000): Promise<DrainRow> {
  return await withTempDirectory(async (directory) => {
    const store = new Child(process.execPath, ['--import', 'tsx', 'bench/drop-store.ts'])
    const [, port] = await store.prints(/listening on (\d+)/)
    const service = await startService(join(directory, 'data'), {
      SLUICE_S3_ENDPOINT: `http://127.0.0.1:${port}`,
      SLUICE_S3_ACCESS_KEY_ID: 'a',
      SLUICE_S3_SECRET_ACCESS_KEY: 'b',
      SLUICE_UPLINK_CAPACITY: 'unlimited'
    })
    const topic = 'devices/%d/images/%n'
    const target = { port: service.mqttPort, devices: 20, bytes, topic, user: undefined, password: undefined }
    await runLoad({ ...target, count: images })
    const pid = service.child.process.pid ?? 0
    const [cpuBefore, mainBefore] = [readCpuSeconds(pid), readCpuSeconds(`${pid}/task/${pid}`)]
    store.process.kill('SIGUSR2')
    store.process.kill('SIGUSR2')
    await store.prints(new RegExp(`stored ${images} at`), 600_000)
    const cpuMsPerImage = (readCpuSeconds(pid) - cpuBefore) * 1000 / images
    const mainCpuMsPerImage = (readCpuSeconds(`${pid}/task/${pid}`) - mainBefore) * 1000 / images
    const points = [...store.output.matchAll(/stored (\d+) at (\d+)/g)]
      .map(([, stored, at]): Point => ({ stored: Number(stored), at: Number(at) }))
    const peakMegabytes = service.child.memory().peak / 1e6
    await service.child.stop()
    const sdkCpuMsPerPut = await measureClient(`http://127.0.0.1:${port}`, bytes)
    await store.stop()
    const imagesPerSecond = rateOf(points, images)
    return { images, bytes, imagesPerSecond, cpuMsPerImage, mainCpuMsPerImage, sdkCpuMsPerPut, peakMegabytes }
  })
}

/** Without the first tenth, in which the store is found to be back and code is compiled, and without the last. */
function rateOf (points: readonly Point[], images: number): number {
  const first = points.find(({ stored }) => stored >= images * 0.1)
  const last = points.find(({ stored }) => stored >= images * 0.9)
  if (first === undefined || last === undefined) return NaN
  return (last.stored - first.stored) / (last.at - first.at) * 1000
}

const CLIENT_PUTS = 1000

/** CPU that a put of the S3 client takes in this process beyond a request of node's own, both answered alike. */
async function measureClient (endpoint: string, bytes: number): Promise<number> {
  const agents = createAgents({ pace: async () => {}, paceBytesMax: () => 2 ** 24, maxSockets: 1 })
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
  const store = createS3Store({
    endpoint,
    region: 'us-east-1',
    bucket: 'images',
    pathStyle: 'auto',
    credentials,
    ifNoneMatch: false,
    integrity: 'sha256',
    partBytes: 2 ** 23,
    timeoutMs: 10_000,
    agents
  })
  const body = randomBytes(bytes)
  const sha256 = createHash('sha256').update(body).digest('hex')
  const object = { key: 'bench.jpg', body, contentType: 'image/jpeg', metadata: {}, sha256, crc32: 0 }
  const { signal } = new AbortController()
  const put = (): Promise<unknown> => store.put(object, signal)
  await cpuMsOf(put) // what compiles at run time has done so
  const plain = await cpuMsOf(() => putPlain(endpoint, body, agents.http))
  const client = await cpuMsOf(put)
  store.close()
  agents.destroy()
  return client - plain
}

async function cpuMsOf (put: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  for (let i = 0; i < CLIENT_PUTS; i++) await put()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000 / CLIENT_PUTS
}

async function putPlain (endpoint: string, body: Buffer, agent: Agent): Promise<void> {
  const running = request(`${endpoint}/images/bench.jpg`, { agent, method: 'PUT' })
  running.setHeader('content-length', body.length)
  running.end(body)
  const [response] = await once(running, 'response') as [IncomingMessage]
  await once(response.resume(), 'end')
}
