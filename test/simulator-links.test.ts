import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { openLink, type Link } from '../device-sim/devices/link.ts'
import { eventually } from './helpers/eventually.ts'
import { startRawBroker } from './helpers/raw-broker.ts'
import { simulate } from './helpers/simulate.ts'

const IMAGE = Buffer.alloc(60_000)
/** It takes 0.4 s for an image. */
const pace = { bytesPerSecond: 150_000, latencyMs: 5 }

// Side by side: they mostly wait.
void describe('slow links', { concurrency: true }, () => {
  test('a run over links with a latency ends with DISCONNECT, as one without', async (t) => {
    for (const linkLatency of ['0s', '50ms']) {
      const { port, connections } = await startRawBroker(t)
      await simulate({ port, devices: { linkLatency } })
      const said = connections.map(({ isDisconnected }) => isDisconnected)
      assert.deepEqual(said, [true, true, true, true], linkLatency) // with the probe's
    }
  })

  test('a slow link that ends cleanly sends the packet it has begun, DISCONNECT, and nothing of what waits', async (t) => {
    const { port, connections } = await startRawBroker(t)
    const link = await open(t, port, 'clean')
    const sent = [link.publish('a', IMAGE), link.publish('b', IMAGE)]
    await eventually(() => (connections[0]?.pendingBytes() ?? 0) > 10_000)
    link.end('clean')
    await Promise.allSettled([...sent, link.closed])
    assert.deepEqual(connections[0]?.publishes.map(({ topic }) => topic), ['a'])
    assert.equal(connections[0]?.isDisconnected, true)
  })

  test('a slow link that is half-open sends nothing any more of what its device had given it', async (t) => {
    const { port, connections } = await startRawBroker(t)
    const link = await open(t, port, 'lost')
    void link.publish('a', IMAGE).catch(() => {}) // as its device hears
    const pendingBytes = (): number => connections[0]?.pendingBytes() ?? 0
    await eventually(() => pendingBytes() > 10_000)
    link.end('half-open')
    const before = pendingBytes()
    const other = await open(t, port, 'other')
    await other.publish('b', IMAGE)
    assert.ok(pendingBytes() - before < 10_000, `${pendingBytes() - before} bytes more`) // a piece was on its way
    assert.equal(connections[0]?.publishes.length, 0)
    other.end('abrupt')
  })
})

async function open (t: TestContext, port: number, clientId: string): Promise<Link> {
  const opening = await openLink({ host: '127.0.0.1', port, clientId, pace })
  if (opening.kind === 'failed') throw new Error(opening.reason)
  t.after(() => { opening.link.end('abrupt') })
  return opening.link
}
