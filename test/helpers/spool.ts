import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { crc32 } from 'node:zlib'
import { parseDeviceId, parseImageId } from '../../broker/topics.ts'
import type { Arrival } from '../../bridge/entry.ts'
import type { BridgeEvent } from '../../bridge/events.ts'
import type { SpoolOptions } from '../../bridge/spool/open-parts.ts'
import { Spool } from '../../bridge/spool/spool.ts'

export async function makeTempDirectory (t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-test-'))
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }))
  return directory
}

export function spoolOptions (directory: string, options: Partial<SpoolOptions> = {}): SpoolOptions {
  return {
    directory, segmentBytes: 1_000_000, limitBytes: 1e9, reserveBytes: 0, dedupWindowMs: 3_600_000, ...options
  }
}

/** An open spool in a directory of its own, closed after the test. */
export async function openTestSpool (
  t: TestContext, options: Partial<SpoolOptions> = {}
): Promise<{ spool: Spool, directory: string, events: BridgeEvent[] }> {
  const directory = options.directory ?? await makeTempDirectory(t)
  const events: BridgeEvent[] = []
  const spool = await Spool.open(spoolOptions(directory, options), (event) => { events.push(event) })
  t.after(() => spool.close())
  return { spool, directory, events }
}

export function arrivalOf (device: string, image: string, payload: Buffer): Arrival {
  const deviceId = parseDeviceId(device)
  const imageId = parseImageId(image)
  if (deviceId === undefined || imageId === undefined) throw new Error(`not ids: ${device}, ${image}`)
  return {
    deviceId,
    imageId,
    bytes: payload.length,
    crc32: crc32(payload),
    sha256: undefined,
    contentType: 'image/jpeg',
    sourceTopic: `devices/${device}/images/${image}`,
    capturedAt: undefined,
    receivedAt: Date.now(),
    meta: undefined
  }
}
