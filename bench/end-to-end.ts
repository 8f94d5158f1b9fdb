import { setTimeout as delay } from 'node:timers/promises'
import { Child } from './child.ts'
import { IMAGE_BYTES, load } from './intake.ts'
import type { Load } from './load.ts'
import type { Peer, PeerKind } from './peers/peer.ts'
import { installed, measureCosts, runRounds, type Entrant, type Measured, type PeerRow } from './rounds.ts'
import { withTempDirectory } from './subject.ts'

export interface EndToEndLoad {
  readonly devices: number
  readonly count: number
  readonly rounds: number
}

const WARM_UP = 500
const TIMEOUT_MS = 120_000
const EVERY_MS = 50

/** From the device to the answer of a store that drops what it gets: images/s counts what the store has confirmed. */
export async function benchEndToEnd (
  kinds: readonly PeerKind[], { devices, count, rounds }: EndToEndLoad
): Promise<PeerRow[]> {
  const entrants = installed(kinds).map(({ kind, version }): Entrant =>
    ({ name: kind.name, version, devices, measure: () => measure(kind, devices, count) }))
  return await runRounds(entrants, { rounds, count, reference: kinds[1]?.name })
}

async function measure (kind: PeerKind, devices: number, count: number): Promise<Measured> {
  return await withTempDirectory(async (directory) => {
    const store = new Child(process.execPath, ['--import', 'tsx', 'bench/drop-store.ts', 'open'])
    const [, port] = await store.prints(/listening on (\d+)/)
    const peer = await kind.start(directory, `http://127.0.0.1:${port}`)
    try {
      const warmUp = Math.min(count, WARM_UP)
      await load(peer, devices, warmUp)
      await storedAt(store, warmUp)
      return await measureCosts(peer, IMAGE_BYTES, () => confirmed(peer, store, { devices, count, before: warmUp }))
    } finally {
      await peer.stop()
      await store.stop()
    }
  })
}

interface Run {
  readonly devices: number
  readonly count: number
  /** Images that the store has confirmed so far. */
  readonly before: number
}

async function confirmed (peer: Peer, store: Child, { devices, count, before }: Run): Promise<Load> {
  const result = await load(peer, devices, count)
  const seconds = (await storedAt(store, before + result.acknowledged) - result.startedAt) / 1000
  return { ...result, imagesPerSecond: result.acknowledged / seconds }
}

/** When the store had confirmed so many, in ms since the epoch; rejects where it does not get there. */
export async function storedAt (store: Child, count: number): Promise<number> {
  for (const deadline = Date.now() + TIMEOUT_MS; Date.now() < deadline; await delay(EVERY_MS)) {
    for (const [, stored, at] of store.output.matchAll(/stored (\d+) at (\d+)/g)) {
      if (Number(stored) >= count) return Number(at)
    }
  }
  throw new Error(`the store did not confirm ${count} images in ${TIMEOUT_MS / 1000} s`)
}
