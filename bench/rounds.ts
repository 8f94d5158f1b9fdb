import { setTimeout as delay } from 'node:timers/promises'
import { median } from './child.ts'
import type { Load } from './load.ts'
import type { Peer } from './peers/peer.ts'

/** What one round of one peer gave. */
export interface Measured {
  readonly imagesPerSecond: number
  readonly megabytesPerSecond: number
  readonly acknowledged: number
  readonly pubackMs: { readonly p50: number, readonly p95: number, readonly p99: number }
  readonly cpuMsPerImage: number
  readonly peakMegabytes?: number
  /** Bytes given to the disk by each byte of payload taken in. */
  readonly writtenPerByte: number
}

/** The medians of its rounds. */
export interface PeerRow extends Omit<Measured, 'acknowledged'> {
  readonly name: string
  readonly version: string
  readonly devices: number
  /** Against the second of the peers in the same rounds. */
  readonly ratio: number | undefined
  /** Of the images it was sent in each round. */
  readonly acknowledged: string
}

export interface Entrant {
  readonly name: string
  readonly version: string
  readonly devices: number
  measure (): Promise<Measured>
}

interface MaybeInstalled {
  readonly name: string
  readonly packages: string
  version (): string | undefined
}

/** Says who is not here. */
export function installed<T extends MaybeInstalled> (kinds: readonly T[]): Array<{ kind: T, version: string }> {
  return kinds.flatMap((kind) => {
    const version = kind.version()
    if (version !== undefined) return [{ kind, version }]
    console.error(`skipped: ${kind.name} is not installed (Debian: ${kind.packages})`)
    return []
  })
}

export interface RoundOptions {
  readonly rounds: number
  /** Images sent in each. */
  readonly count: number
  /** The name of the one that ratios are taken against. */
  readonly reference: string | undefined
}

/** One round each in turn, there and back, so that what drifts drifts for all. */
export async function runRounds (
  entrants: readonly Entrant[], { rounds, count, reference }: RoundOptions
): Promise<PeerRow[]> {
  const results = new Map<string, Measured[]>(entrants.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const { name, devices, measure } of round % 2 === 0 ? entrants : [...entrants].reverse()) {
      const measured = await measure()
      results.get(name)?.push(measured)
      console.error(`round ${round + 1}: ${name}, ${devices} devices: ${measured.imagesPerSecond.toFixed(0)} images/s`)
    }
  }
  const rateOf = (name = ''): number => median((results.get(name) ?? []).map((result) => result.imagesPerSecond))
  return entrants.map(({ name, version, devices }): PeerRow => {
    const all = results.get(name) ?? []
    const of = (read: (result: Measured) => number | undefined): number =>
      median(all.map((result) => read(result) ?? NaN))
    const [ratio, peakMegabytes] = [rateOf(name) / rateOf(reference), of((r) => r.peakMegabytes)]
    return {
      name,
      version,
      devices,
      imagesPerSecond: rateOf(name),
      megabytesPerSecond: of((r) => r.megabytesPerSecond),
      ratio: Number.isNaN(ratio) ? undefined : ratio,
      pubackMs: { p50: of((r) => r.pubackMs.p50), p95: of((r) => r.pubackMs.p95), p99: of((r) => r.pubackMs.p99) },
      cpuMsPerImage: of((r) => r.cpuMsPerImage),
      ...Number.isNaN(peakMegabytes) ? {} : { peakMegabytes },
      writtenPerByte: of((r) => r.writtenPerByte),
      acknowledged: all.map((r) => `${r.acknowledged}/${count}`).join(' ')
    }
  })
}

/** Runs a load against a peer, and what the peer spent on it. */
export async function measureCosts (peer: Peer, bytes: number, run: () => Promise<Load>): Promise<Measured> {
  const before = { cpu: peer.cpuSeconds(), written: peer.writtenBytes() }
  const { imagesPerSecond, acknowledged, pubackMs } = await run()
  const cpuMsPerImage = (peer.cpuSeconds() - before.cpu) * 1000 / acknowledged
  const written = await writtenAtRest(peer, bytes) - before.written
  return {
    imagesPerSecond,
    megabytesPerSecond: imagesPerSecond * bytes / 1e6,
    acknowledged,
    pubackMs,
    cpuMsPerImage,
    peakMegabytes: peer.memory().peak / 1e6,
    writtenPerByte: written / (acknowledged * bytes)
  }
}

/** What is put off until after the PUBACK is written too: once less than an image is written in half a second. */
async function writtenAtRest (peer: Peer, imageBytes: number): Promise<number> {
  let written = peer.writtenBytes()
  for (let turn = 0; turn < 20; turn++) {
    await delay(500)
    const before = written
    written = peer.writtenBytes()
    if (written - before < imageBytes) break
  }
  return written
}
