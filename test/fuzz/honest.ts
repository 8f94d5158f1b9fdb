import type { TestContext } from 'node:test'
import mqtt from 'mqtt'
import { jpegOf } from '../helpers/jpeg.ts'

export interface Honest {
  /** Of its PUBACKs so far, the slowest first. */
  readonly delaysMs: readonly number[]
  readonly reconnects: () => number
  /** Stops publishing. */
  stop (): Promise<void>
}

/** A device that publishes an image, waits for its PUBACK and publishes the next. */
export async function startHonest (t: TestContext, port: number): Promise<Honest> {
  const device = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { clientId: 'an-honest-device', clean: true })
  t.after(() => device.endAsync(true))
  const delaysMs: number[] = []
  const end = new AbortController()
  let reconnects = 0
  device.on('reconnect', () => { reconnects++ })
  const publishing = (async () => {
    for (let nth = 0; !end.signal.aborted; nth++) {
      const startedAt = performance.now()
      await device.publishAsync(`devices/honest/images/h${nth}`, jpegOf(20_000), { qos: 1 })
      delaysMs.push(performance.now() - startedAt)
    }
  })()
  return {
    get delaysMs () { return delaysMs.toSorted((a, b) => b - a) },
    reconnects: () => reconnects,
    async stop () {
      end.abort()
      await publishing
      await device.endAsync()
    }
  }
}

const DEVICES = 8
const WINDOW = 16

/** So many small images of several devices, and all of them acknowledged. */
export async function warmUp (port: number, images: number): Promise<void> {
  let sent = 0
  await Promise.all(Array.from({ length: DEVICES }, async (_, nth) => {
    const device = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { clientId: `warm-${nth}` })
    const publish = async (): Promise<void> => {
      while (sent < images) await device.publishAsync(`devices/warm-${nth}/images/w${sent++}`, jpegOf(2_000), { qos: 1 })
    }
    await Promise.all(Array.from({ length: WINDOW }, publish))
    await device.endAsync()
  }))
}
