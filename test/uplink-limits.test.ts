import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startBridge } from '../bridge/bridge.ts'
import { formatUplink } from '../bridge/cli/uplink.ts'
import { readConfig } from '../bridge/config/read-config.ts'
import type { UplinkJson } from '../bridge/http/uplink.ts'
import type { Status } from '../bridge/status.ts'
import { eventually } from './helpers/eventually.ts'
import { jpegOf } from './helpers/jpeg.ts'
import { startMeter, type Meter } from './helpers/line.ts'
import { credentials, startTestStore } from './helpers/local-store.ts'
import { makeTempDirectory } from './helpers/spool.ts'

interface Site {
  readonly url: string
  readonly line: Meter
  status (): Promise<Status>
  order (method: 'PATCH' | 'POST', path: string, body?: object): Promise<UplinkJson>
  /** Bytes per second that cross the line from now on, for so many ms. */
  pace (ms: number): Promise<number>
  keep (count: number): Promise<void>
}

/** A whole service whose line to the store is metered: 16 Mbit/s, all of it ours. */
async function startMeteredSite (t: TestContext, capacity = '16Mbit'): Promise<Site> {
  const store = await startTestStore(t, { dir: join(await makeTempDirectory(t), 'objects') })
  const line = await startMeter(t, Number(new URL(store.endpoint).port))
  const config = readConfig({
    env: {
      SLUICE_DATA_DIR: await makeTempDirectory(t),
      SLUICE_MQTT_LISTEN: '127.0.0.1:0',
      SLUICE_HTTP_LISTEN: '127.0.0.1:0',
      SLUICE_S3_ENDPOINT: `http://127.0.0.1:${line.port}`,
      SLUICE_S3_ACCESS_KEY_ID: credentials.accessKeyId,
      SLUICE_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      SLUICE_UPLINK_CAPACITY: capacity,
      SLUICE_UPLINK_SHARE: '100%',
      SLUICE_UPLINK_OVERHEAD: '0%'
    }
  })
  const bridge = await startBridge(config, { log: { observe () {} }, version: 'test' })
  t.after(() => bridge.close(AbortSignal.timeout(1000)))
  const url = `http://127.0.0.1:${bridge.http.port}`
  const ask = async <Answer>(path: string, init: RequestInit = {}): Promise<Answer> => {
    const response = await fetch(`${url}/api/v1${path}`, init)
    assert.ok(response.ok, `${path} answers ${response.status}`)
    return await response.json() as Answer
  }
  return {
    url,
    line,
    status: () => ask('/status'),
    order: (method, path, body = {}) => ask(path, { method, body: JSON.stringify(body) }),
    async pace (ms) {
      const [bytes, startedAt] = [line.bytes(), performance.now()]
      await sleep(ms)
      return (line.bytes() - bytes) / (performance.now() - startedAt) * 1000
    },
    async keep (count) {
      for (let i = 0; i < count; i++) {
        const body = new Uint8Array(jpegOf(200_000))
        await ask(`/images?device=cam-1&id=i${i}`, { method: 'POST', headers: { 'content-type': 'image/jpeg' }, body })
      }
    }
  }
}

test('a limit set in the running service holds on the wire within a second, and is put back by itself', async (t) => {
  const site = await startMeteredSite(t)
  await site.keep(60)
  await eventually(() => site.line.bytes() > 500_000)
  const { limit } = await site.order('PATCH', '/uplink/limits', { rate: '4Mbit', for: '2s', reason: 'the backup' })
  assert.deepEqual([limit.bytesPerSecond, limit.source, limit.reason], [500_000, 'override', 'the backup'])
  assert.equal(limit.next?.bytesPerSecond, 2_000_000)
  await sleep(800)
  const limited = await site.pace(900)
  assert.ok(limited > 300_000 && limited < 600_000, `${limited} bytes/s while 500,000 were allowed`)
  await eventually(async () => (await site.status()).limit.source === 'share')
  let usual = 0
  await eventually(async () => {
    usual = await site.pace(500)
    return usual > 1_000_000
  })
  assert.ok(usual < 2_600_000, `${usual} bytes/s while 2,000,000 were allowed`)
})

test('a pause begins no put, is no fault of the uplink, and ends by itself with nothing lost', async (t) => {
  const site = await startMeteredSite(t)
  await site.keep(20)
  await site.order('POST', '/uplink/pause', { for: '3s', reason: 'maintenance' })
  await eventually(async () => (await site.status()).images.uploading.count === 0)
  assert.equal(await site.pace(600), 0)
  const { verdict, limit, uplink, ledger } = await site.status()
  assert.match(verdict.sentence, /^UPLOADS PAUSED: an operator paused them .* ago \(maintenance\), and for another /)
  assert.deepEqual([limit.paused, limit.bytesPerSecond, uplink.state], ['operator', 0, 'up'])
  assert.ok(ledger.waiting > 0, 'the pause came too late')
  assert.equal((await fetch(`${site.url}/readyz`)).status, 200)
  const metrics = await (await fetch(`${site.url}/metrics`)).text()
  for (const line of [
    'sluice_upload_paused{reason="operator"} 1', 'sluice_upload_paused{reason="circuit_open"} 0',
    'sluice_upload_rate_limit_bytes_per_second 0', 'sluice_operator_actions_total{action="pause"} 1'
  ]) assert.ok(metrics.includes(`${line}\n`), line)
  await eventually(async () => (await site.status()).ledger.uploaded === 20, { timeoutMs: 15_000 })
})

test('a pause that is taken back lets uploads go on at once', async (t) => {
  const site = await startMeteredSite(t)
  await site.order('POST', '/uplink/pause')
  await site.keep(3)
  assert.equal(await site.pace(300), 0)
  const { pause, limit } = await site.order('POST', '/uplink/resume')
  assert.deepEqual([pause, limit.paused], [undefined, undefined])
  await eventually(async () => (await site.status()).ledger.uploaded === 3)
})

test('a line without limit says so, takes an order, and is without limit again', async (t) => {
  const site = await startMeteredSite(t, 'unlimited')
  const shown = await (await fetch(`${site.url}/api/v1/uplink`)).json() as UplinkJson
  assert.deepEqual([shown.capacity, shown.limit.bytesPerSecond], ['unlimited', undefined])
  assert.equal('bytesPerSecond' in shown.limit, false)
  assert.match(formatUplink(shown), /^now +no limit, the usual share\nline +unlimited$/m)
  const body = JSON.stringify({ share: '30%' })
  const refused = await fetch(`${site.url}/api/v1/uplink/limits`, { method: 'PATCH', body })
  assert.deepEqual([refused.status, (await refused.json() as { detail: string }).detail],
    [422, 'a share of a line without limit is no limit; write a rate like 6Mbit'])
  const { limit } = await site.order('PATCH', '/uplink/limits', { rate: '4Mbit', for: '1s' })
  assert.deepEqual([limit.bytesPerSecond, limit.next?.bytesPerSecond], [500_000, undefined])
  await eventually(async () => (await site.status()).limit.source === 'share')
  await site.keep(3)
  await eventually(async () => (await site.status()).ledger.uploaded === 3)
})
