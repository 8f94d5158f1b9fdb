import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { makeCertificate } from './helpers/certificate.ts'
import { makeFolder } from './helpers/local-store.ts'
import { startPlainBroker, type Publication } from './helpers/plain-broker.ts'
import { runSimulator, simulate } from './helpers/simulate.ts'

// Side by side: they mostly wait.
void describe('devices over TLS', { concurrency: true }, () => {
  test('over TLS every image gets its PUBACK, whichever way connections end', async (t) => {
    const broker = await startTlsBroker(t)
    if (broker === undefined) return
    const flap = { every: '300ms', for: '10ms', how: 'mix' }
    const { counts, reconnects } = await simulate({
      port: broker.port,
      ca: broker.ca,
      limit: 120,
      devices: { queue: 1000, flap, backoff: { first: '10ms', max: '20ms' } }
    })
    assert.ok(reconnects > 0)
    assert.deepEqual([counts.captured, counts.acknowledged, counts.unfinished], [120, 120, 0])
  })

  test('a run over TLS that ends with images in flight still has its report', async (t) => {
    const broker = await startTlsBroker(t, async () => { await new Promise(() => {}) })
    if (broker === undefined) return
    const { counts } = await simulate({ port: broker.port, ca: broker.ca, drainTimeout: '100ms' })
    assert.deepEqual([counts.captured, counts.acknowledged, counts.unfinished], [12, 0, 12])
  })

  test('a certificate that nobody vouches for is one sentence', async (t) => {
    const broker = await startTlsBroker(t)
    if (broker === undefined) return
    const { code, stderr } = await runSimulator(['--url', `mqtts://127.0.0.1:${broker.port}`])
    assert.match(stderr, /^no MQTT broker answers at 127\.0\.0\.1:\d+ \(self-signed certificate\).*--ca/)
    assert.equal(code, 69)
  })
})

/** Undefined, and the test skipped, where there is no openssl to make the certificate. */
async function startTlsBroker (
  t: TestContext, take?: (publication: Publication) => Promise<void>
): Promise<{ readonly port: number, readonly ca: string } | undefined> {
  const certificate = await makeCertificate(await makeFolder(t))
  if (certificate === undefined) {
    t.skip('there is no openssl command')
    return undefined
  }
  const { port } = await startPlainBroker(t, take, certificate)
  return { port, ca: certificate.certFile }
}
