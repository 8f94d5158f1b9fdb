import { Child, median } from './child.ts'
import type { Load } from './load.ts'
import type { Peer, PeerKind } from './peers.ts'
import { withTempDirectory } from './subject.ts'

export interface IntakeRow {
  readonly name: string
  readonly devices: number
  readonly imagesPerSecond: number
  /** Against the second of the peers in the same rounds. */
  readonly ratio: number | undefined
  readonly pubackMs: { readonly p50: number, readonly p99: number }
  readonly cpuMsPerImage: number
  readonly peakMegabytes: number
  /** Of the images it was sent in each round. */
  readonly acknowledged: string
}

interface Measured extends Load {
  readonly cpuMsPerImage: number
  readonly peakMegabytes: number
}

const BYTES = 250_000
/** Images before the measured ones: what compiles at run time, BEAM like V8, has done so. */
const WARM_UP = 2000

export interface IntakeLoad {
  readonly devices: number
  readonly count: number
  readonly rounds: number
}

/** Durable intake side by side: one round each in turn, there and back, so that what drifts drifts for all. */
export async function benchIntake (
  kinds: readonly PeerKind[], { devices, count, rounds }: IntakeLoad
): Promise<IntakeRow[]> {
  const peers = kinds.filter((peer) => peer.isInstalled())
  for (const { name } of kinds.filter((peer) => !peers.includes(peer))) console.error(`skipped: ${name} is not installed`)
  const results = new Map<string, Measured[]>(peers.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const peer of round % 2 === 0 ? peers : [...peers].reverse()) {
      const measured = await measure(peer, devices, count)
      results.get(peer.name)?.push(measured)
      console.error(`round ${round + 1}: ${peer.name}, ${devices} devices: ${measured.imagesPerSecond.toFixed(0)} images/s`)
    }
  }
  const rate = (name: string): number => median((results.get(name) ?? []).map((result) => result.imagesPerSecond))
  const reference = rate(kinds[1]?.name ?? '')
  return peers.map(({ name }): IntakeRow => {
    const all = results.get(name) ?? []
    const of = (read: (result: Measured) => number): number => median(all.map(read))
    return {
      name,
      devices,
      imagesPerSecond: rate(name),
      ratio: Number.isNaN(reference) ? undefined : rate(name) / reference,
      pubackMs: { p50: of((r) => r.pubackMs.p50), p99: of((r) => r.pubackMs.p99) },
      cpuMsPerImage: of((r) => r.cpuMsPerImage),
      peakMegabytes: of((r) => r.peakMegabytes),
      acknowledged: all.map((r) => `${r.acknowledged}/${count}`).join(' ')
    }
  })
}

async function measure (kind: PeerKind, devices: number, count: number): Promise<Measured> {
  return await withTempDirectory(async (directory) => {
    const peer = await kind.start(directory)
    try {
      await load(peer, devices, WARM_UP)
      const before = peer.cpuSeconds()
      const result = await load(peer, devices, count)
      const cpuMsPerImage = (peer.cpuSeconds() - before) * 1000 / result.acknowledged
      return { ...result, cpuMsPerImage, peakMegabytes: peer.peakBytes() / 1e6 }
    } finally {
      await peer.stop()
    }
  })
}

async function load ({ port, topic, login }: Peer, devices: number, count: number): Promise<Load> {
  const args = [port, devices, count, BYTES, topic, ...login].map(String)
  const [line] = await new Child(process.execPath, ['--import', 'tsx', 'bench/load.ts', ...args]).prints(/\{.*\}/, 150_000)
  return JSON.parse(line) as Load // load.ts prints one
}
