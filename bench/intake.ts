import { Child } from './child.ts'
import type { Load } from './load.ts'
import { DISK, measureDisk } from './peers/disk.ts'
import type { Peer, PeerKind } from './peers/peer.ts'
import { installed, measureCosts, runRounds, type Entrant, type Measured, type PeerRow } from './rounds.ts'
import { withTempDirectory } from './subject.ts'

export const IMAGE_BYTES = 250_000
/** Images before the measured ones: what compiles at run time, BEAM like V8, has done so. */
const WARM_UP = 2000

export interface IntakeLoad {
  readonly devices: number
  readonly count: number
  readonly rounds: number
  /** Beside the peers, what the disk does. */
  readonly withDisk: boolean
}

/** Durable intake side by side. */
export async function benchIntake (
  kinds: readonly PeerKind[], { devices, count, rounds, withDisk }: IntakeLoad
): Promise<PeerRow[]> {
  const peers = installed(kinds).map(({ kind, version }): Entrant =>
    ({ name: kind.name, version, devices, measure: () => measure(kind, devices, count) }))
  const disks = installed(withDisk ? [DISK] : []).map(({ kind, version }): Entrant => ({
    name: kind.name,
    version,
    devices: 1,
    measure: () => withTempDirectory(async (directory) => measureDisk(directory, count))
  }))
  return await runRounds([...peers, ...disks], { rounds, count, reference: kinds[1]?.name })
}

async function measure (kind: PeerKind, devices: number, count: number): Promise<Measured> {
  return await withTempDirectory(async (directory) => {
    const peer = await kind.start(directory)
    try {
      await load(peer, devices, Math.min(count, WARM_UP))
      return await measureCosts(peer, IMAGE_BYTES, () => load(peer, devices, count))
    } finally {
      await peer.stop()
    }
  })
}

/** By a process of its own. */
export async function load ({ port, topic, login }: Peer, devices: number, count: number): Promise<Load> {
  const args = [port, devices, count, IMAGE_BYTES, topic, ...login].map(String)
  const [line] = await new Child(process.execPath, ['--import', 'tsx', 'bench/load.ts', ...args]).prints(/\{.*\}/, 150_000)
  return JSON.parse(line) as Load // load.ts prints one
}
