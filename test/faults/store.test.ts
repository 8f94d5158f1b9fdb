// What a store can do to us, one fault after the other: each image stays in our custody, the line is spared, the
// operator reads what is wrong, and once the fault is over everything goes out by itself.
//
// The service and the store run in this process and talk over real sockets. A stall of 90 s is one of a few seconds in
// the fast run, with a time-out that is shorter by as much.

import assert from 'node:assert/strict'
import dns from 'node:dns'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { describe } from '../../bridge/log-lines.ts'
import type { UnavailableReason } from '../../bridge/objects/object-store.ts'
import type { Status } from '../../bridge/status.ts'
import { eventually } from '../helpers/eventually.ts'
import { startRemoteBridge, type Between, type RemoteBridge, type RemoteOptions } from '../helpers/remote-bridge.ts'
import { publishShots } from '../helpers/shots.ts'
import { rounds } from './rounds.ts'

interface Fault extends RemoteOptions {
  /** What holds under this fault. */
  readonly claim: string
  readonly begin: (site: RemoteBridge) => Promise<void> | void
  /** Default: every knob of the store is turned back. */
  readonly end?: (site: RemoteBridge) => Promise<void> | void
  /** What the status and the log say of it: a stable word, and what to do. */
  readonly reason: UnavailableReason
  readonly says: RegExp
  readonly lastsMs?: number
}

const BEFORE = 3
const DURING = 25
const IMAGE_BYTES = 30_000
const LASTS_MS = 2500
const CONCURRENCY = 4
/** One put for each place there is; then a probe and a put at each try, 0.25 s apart at least, then 0.5, 1 and 2. */
const PUTS_MAX = CONCURRENCY + 4
const REQUESTS_MAX = CONCURRENCY + 2 * 5
const STALL = { lastsMs: rounds({ fast: 4000, long: 90_000 }), timeout: `${rounds({ fast: 2, long: 50 })}s` }
const HOST = 'store.sluice.test'
const SPEED = {
  SLUICE_UPLINK_CAPACITY: '1Gbit', SLUICE_UPLINK_SHARE: '100%', SLUICE_UPLINK_CONCURRENCY: String(CONCURRENCY)
}

/** Names that lead to this machine for now. */
const names = new Set([HOST])

const answers = (status: number, code: string) => async ({ faults }: RemoteBridge): Promise<void> => {
  await faults.set({ errorRate: 1, error: { status, code } })
}

const passes: Between = () => false

const storesOtherBytes: Between = ({ method }, response) => {
  if (method !== 'PUT') return false
  response.setHeader('etag', `"${'0'.repeat(32)}"`).end()
  return true
}

const allowsPutsAlone: Between = ({ method }, response) => {
  if (method === 'PUT') return false
  response.writeHead(403).end()
  return true
}

const breaksOff: Between = ({ socket }) => {
  socket.resetAndDestroy()
  return true
}

const FAULTS: readonly Fault[] = [
  {
    claim: 'a store that answers 503 SlowDown is asked less, and the operator reads that it wants that',
    begin: answers(503, 'SlowDown'),
    reason: 'throttled',
    says: /asks for fewer requests \(HTTP 503 SlowDown/
  },
  {
    claim: 'a store that answers 500 is quoted',
    begin: answers(500, 'InternalError'),
    reason: 'server_error',
    says: /no usable answer \(HTTP 500 InternalError/
  },
  {
    claim: 'a store that answers 403 AccessDenied sets no image aside, and the operator reads what to allow',
    begin: answers(403, 'AccessDenied'),
    reason: 'auth',
    says: /bucket "images" at http.* is closed to key AKIDEXAMPLE: allow s3:PutObject there/
  },
  {
    claim: 'a bucket that is gone is named, and images wait until somebody makes it',
    begin: answers(404, 'NoSuchBucket'),
    reason: 'no_bucket',
    says: /bucket "images" does not exist at http.*: create it, or set s3\.bucket/
  },
  {
    claim: 'a bucket that is full sets no image aside, and the operator reads of its quota',
    begin: ({ faults }) => { faults.refuseKeys(/./, { status: 403, code: 'QuotaExceeded' }) },
    reason: 'server_error',
    says: /bucket "images" at http.* is full: raise its quota, or remove objects/
  },
  {
    claim: 'a clock that differs too much is told as that, and not as a wrong credential',
    begin: answers(403, 'RequestTimeTooSkewed'),
    reason: 'auth',
    says: /the clock here and the one of http.* differ too much: set this one/
  },
  {
    claim: 'where nobody listens no image is sent',
    begin: ({ faults }) => faults.set({ outage: true }),
    reason: 'connect',
    says: /no connection to http.*: check s3\.endpoint, that the store runs, and the firewall/
  },
  {
    claim: 'connections that are reset in the middle of a body carry few images in vain',
    begin: ({ faults }) => faults.set({ reset: 'body' }),
    reason: 'reset',
    says: /broke the connection off/
  },
  {
    claim: 'an image whose answer is lost after it was stored is sent again, and is there once',
    begin: ({ faults }) => faults.set({ reset: 'answer' }),
    reason: 'reset',
    says: /broke the connection off/
  },
  {
    claim: 'a store that is silent for 90 s is given up after uplink.timeout, and asked again',
    env: { SLUICE_UPLINK_TIMEOUT: STALL.timeout },
    begin: ({ faults }) => faults.set({ stall: true }),
    lastsMs: STALL.lastsMs,
    reason: 'timeout',
    says: /no answer from http.* in time \(uplink\.timeout is (2|50) s\)/
  },
  {
    claim: 'the ETag of other bytes is no success: the image is kept and sent again',
    env: { SLUICE_S3_INTEGRITY: 'md5' },
    between: passes,
    begin: ({ stand }) => { stand(storesOtherBytes) },
    end: ({ stand }) => { stand(passes) },
    reason: 'checksum',
    says: /the bytes that reached http.* are not those that were sent/
  },
  {
    claim: 'a name that is not resolved any more is told with what to check',
    host: HOST,
    async begin ({ faults }) {
      names.delete(HOST)
      await faults.set({ outage: true }) // a connection that stands needs no name
      await faults.set({ outage: false })
    },
    end: () => { names.add(HOST) },
    reason: 'dns',
    says: /the name in http:\/\/store\.sluice\.test.* is not resolved: check s3\.endpoint and the name server/
  },
  {
    claim: 'a key that may put and not list comes back from an outage like any other',
    between: allowsPutsAlone,
    begin: ({ stand }) => { stand(breaksOff) },
    end: ({ stand }) => { stand(allowsPutsAlone) },
    reason: 'reset',
    says: /broke the connection off/
  }
]

test('no fault of the store costs an image, and each is over by itself', { concurrency: FAULTS.length + 1 }, async (t) => {
  const { lookup } = dns
  t.mock.method(dns, 'lookup', ((host: string, ...rest: [never, never]) => {
    lookup(host === HOST && names.has(HOST) ? '127.0.0.1' : host, ...rest) // .test resolves nowhere (RFC 6761)
  }) as typeof lookup)
  await Promise.all([
    ...FAULTS.map((fault) => t.test(fault.claim, async (t) => { await outlive(t, fault) })),
    t.test('a slow trickle is waited for: no image is sent twice, and the operator reads that it falls behind', trickle)
  ])
})

async function outlive (t: TestContext, fault: Fault): Promise<void> {
  const { begin, end, lastsMs = LASTS_MS, reason, says, ...where } = fault
  const site = await startRemoteBridge(t, { ...where, env: { ...SPEED, ...where.env } })
  const before = await publishShots(site.mqttPort, { device: 'cam-1', prefix: 'up', count: BEFORE, bytes: IMAGE_BYTES })
  await eventually(async () => (await site.status()).ledger.uploaded === BEFORE, { timeoutMs: 20_000, everyMs: 100 })

  const over = delay(lastsMs)
  const carried = await carriedBy(site)
  await begin(site)
  const during = await publishShots(site.mqttPort, { device: 'cam-1', prefix: 'down', count: DURING, bytes: IMAGE_BYTES })
  const isTold = ({ uplink }: Status): boolean => uplink.reason === reason && says.test(uplink.detail ?? '')
  await over
  const { verdict, accepting, ledger } = await eventually(async () => {
    const status = await site.status()
    return isTold(status) ? status : undefined
  }, { timeoutMs: lastsMs, everyMs: 100, what: `${reason}, as ${JSON.stringify((await site.status()).uplink)}` })
  const { requests, bytes } = await carried()
  t.diagnostic(verdict.sentence)
  t.diagnostic(`${requests} requests and ${bytes} bytes while it lasted`)
  assert.match(verdict.sentence, /^UPLINK DOWN: .* next try in .*|trying now.*Nothing lost\.$/)
  assert.ok(site.events.some((event) => event.kind === 'uplink-down' && says.test(describe(event))))
  assert.ok(requests <= REQUESTS_MAX && bytes <= PUTS_MAX * (IMAGE_BYTES + 2000), `${requests} requests, ${bytes} bytes`)
  assert.ok(accepting && ledger.exact && ledger.waiting >= DURING - CONCURRENCY, JSON.stringify(ledger))
  assert.equal(ledger.failed, 0)

  await (end ?? (() => site.faults.clear()))(site)
  await assertDrained(site, new Map([...before, ...during]))
}

/** What reaches the store from now on. */
async function carriedBy (
  { faults, status }: RemoteBridge
): Promise<() => Promise<{ requests: number, bytes: number }>> {
  const [before, { uplink: { sentBytes } }] = [faults.counts(), await status()]
  return async () => {
    const [after, { uplink }] = [faults.counts(), await status()]
    const bytes = Math.max(after.socketBytes - before.socketBytes, uplink.sentBytes - sentBytes)
    return { requests: after.requests - before.requests, bytes }
  }
}

async function assertDrained (site: RemoteBridge, published: ReadonlyMap<string, string>): Promise<void> {
  const size = published.size
  const { exact, ...ledger } = await eventually(async () => {
    const { ledger } = await site.status()
    return ledger.waiting === 0 ? ledger : undefined
  }, { timeoutMs: 30_000, everyMs: 200, what: 'the end of the backlog' })
  assert.equal(exact, true)
  assert.deepEqual(ledger, { acknowledged: size, uploaded: size, waiting: 0, failed: 0, dropped: 0 })
  assert.deepEqual(new Map([...await site.stored()].sort()), new Map([...published].sort()))
}

async function trickle (t: TestContext): Promise<void> {
  const site = await startRemoteBridge(t, { env: { ...SPEED, SLUICE_SLO_TARGET: '1s' } })
  const { faults, mqttPort, status, events } = site
  await faults.set({ bytesPerSecond: 3 * IMAGE_BYTES })
  const published = await publishShots(mqttPort, { device: 'cam-1', prefix: 'slow', count: 15, bytes: IMAGE_BYTES })
  const { ledger } = await eventually(async () => {
    const now = await status()
    return /^(FALLING BEHIND|CATCHING UP): .*15 images|1\d images/.test(now.verdict.sentence) ? now : undefined
  }, { everyMs: 100, what: 'a sentence about the line' })
  assert.ok(ledger.waiting > 0)
  await assertDrained(site, published)
  assert.equal(events.filter(({ kind }) => kind === 'put-started').length, published.size)
  assert.ok(faults.counts().bodyBytes < published.size * IMAGE_BYTES * 1.05)
}
