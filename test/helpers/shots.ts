import { openLink } from '../../device-sim/devices/link.ts'
import { sha256 } from './bridge.ts'
import { jpegOf } from './jpeg.ts'

export interface Shots {
  readonly device: string
  /** Their names are the prefix and a number. */
  readonly prefix: string
  readonly count: number
  readonly bytes: number
}

const WINDOW = 8

/** Publishes images over one connection, a few at a time, each to its PUBACK; SHA-256 by `deviceId/imageId`. */
export async function publishShots (port: number, shots: Shots): Promise<Map<string, string>> {
  const { device, prefix, count, bytes } = shots
  const opening = await openLink({ host: '127.0.0.1', port, clientId: device })
  if (opening.kind === 'failed') throw new Error(`${device} was not let in: ${opening.reason}`)
  const hashes = new Map<string, string>()
  const cut = opening.link.closed.then(() => { if (hashes.size < count) throw new Error(`${device} was cut off`) })
  let next = 0
  await Promise.all(Array.from({ length: WINDOW }, async () => {
    for (let i = next++; i < count; i = next++) {
      const image = jpegOf(bytes)
      await Promise.race([opening.link.publish(`devices/${device}/images/${prefix}-${i}`, image), cut])
      hashes.set(`${device}/${prefix}-${i}`, sha256(image))
    }
  }))
  opening.link.close(false)
  return hashes
}
