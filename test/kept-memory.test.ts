// What counts as taken is what is taken: retained messages and those that wait in sessions, each with what Aedes keeps
// beside it (broker/retained.ts, broker/session-queues.ts).

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { eventually } from './helpers/eventually.ts'
import { connectDevice, connectRaw, publishPacket, startTestBroker, type RawClient, type TestBroker } from './helpers/mqtt.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** In use, what is garbage left out. */
async function usedBytes (): Promise<number> {
  for (let turn = 0; turn < 4; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 50)) // for what is freed by callbacks
    collect()
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

interface Started {
  readonly site: TestBroker
  readonly writer: RawClient
}

interface Kept {
  readonly count: number
  readonly payloadBytes: number
  /** Sent behind each, and not kept. */
  readonly behind: readonly Buffer[]
  readonly isRetained: boolean
}

const COUNT = 5_000

/** How much more is in use by each of the messages, the packets around them gone. */
async function grownBytes ({ site, writer }: Started, kept: Kept): Promise<number> {
  const { count, payloadBytes, behind, isRetained } = kept
  const before = await usedBytes()
  for (let nth = 0; nth < count; nth++) {
    const payload = Buffer.alloc(payloadBytes, nth)
    const topic = `site/${'x'.repeat(20)}/${nth}`
    const qos = isRetained ? 0 : 1
    writer.send(publishPacket({ topic, payload, qos, retain: isRetained, packetId: nth + 1 }), ...behind)
    if (nth % 100 === 0) await new Promise(setImmediate)
  }
  const keptNow = (): number => isRetained ? site.broker.levels.retained : site.broker.levels.queued
  await eventually(() => keptNow() === count, { timeoutMs: 20_000 })
  return await usedBytes() - before
}

const ordinary = publishPacket({ topic: 'site/other', payload: Buffer.alloc(3_000), qos: 0 })
const cases: ReadonlyArray<readonly [what: string, payloadBytes: number, behind: readonly Buffer[]]> = [
  ['small ones', 20, []],
  ['small ones with others between them, that are not kept', 20, [ordinary, ordinary]],
  ['larger ones', 5_000, []]
]

async function start (t: TestContext): Promise<Started> {
  const wide = { retainedBytesMax: 1e9, queuedMax: 1e6, queuedBytesMax: 1e9, queuedBytesAllMax: 1e9 }
  const site = await startTestBroker(t, { limits: { messagesPerSecond: 1e6, ...wide } })
  return { site, writer: await connectRaw(t, site.port) }
}

for (const [what, payloadBytes, behind] of cases) {
  test(`retained messages take no more than they count for: ${what}`, async (t) => {
    const { site, writer } = await start(t)
    const grown = await grownBytes({ site, writer }, { count: COUNT, payloadBytes, behind, isRetained: true })
    const { retainedBytes } = site.broker.levels
    t.diagnostic(`${(grown / COUNT).toFixed()} bytes each, counted ${(retainedBytes / COUNT).toFixed()}`)
    assert.ok(grown <= retainedBytes, `${grown} bytes are taken, ${retainedBytes} counted`)
  })

  test(`messages that wait in a session take no more than they count for: ${what}`, async (t) => {
    const { site, writer } = await start(t)
    const reader = await connectDevice(t, site.port, { clientId: 'reader', clean: false })
    await reader.subscribeAsync('site/xxxxxxxxxxxxxxxxxxxx/+', { qos: 1 })
    await reader.endAsync()
    const grown = await grownBytes({ site, writer }, { count: COUNT, payloadBytes, behind, isRetained: false })
    const { queuedBytes } = site.broker.levels
    t.diagnostic(`${(grown / COUNT).toFixed()} bytes each, counted ${(queuedBytes / COUNT).toFixed()}`)
    assert.ok(grown <= queuedBytes, `${grown} bytes are taken, ${queuedBytes} counted`)
  })
}
