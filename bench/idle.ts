import { setTimeout as delay } from 'node:timers/promises'
import type { Device } from './load.ts'
import { openDevices } from './paced-load.ts'
import type { Peer, PeerKind } from './peers/peer.ts'
import { installed } from './rounds.ts'
import { withTempDirectory } from './subject.ts'

export interface IdleRow {
  readonly name: string
  readonly version: string
  readonly connections: number
  /** Resident memory for each connection that is open and silent. */
  readonly bytesEach: number
  readonly residentMegabytes: number
}

/** Opened and closed first, so that what a broker makes once is not counted. */
const WARM_UP = 500
const SETTLE_MS = 3000

/** What a connection costs that only stands there. */
export async function benchIdle (kinds: readonly PeerKind[], connections: number): Promise<IdleRow[]> {
  const rows: IdleRow[] = []
  for (const { kind, version } of installed(kinds)) {
    rows.push(await withTempDirectory(async (directory) => {
      const peer = await kind.start(directory)
      try {
        for (const device of await openMany(peer, Math.min(WARM_UP, connections))) device.close()
        await delay(SETTLE_MS)
        const before = peer.memory().now
        const devices = await openMany(peer, connections)
        await delay(SETTLE_MS)
        const { now } = peer.memory()
        for (const device of devices) device.close()
        const bytesEach = (now - before) / connections
        return { name: kind.name, version, connections, bytesEach, residentMegabytes: now / 1e6 }
      } finally {
        await peer.stop()
      }
    }))
  }
  return rows
}

async function openMany ({ port, login: [user, password] }: Peer, count: number): Promise<Device[]> {
  return await openDevices({ port, user, password }, count, 'idle')
}
