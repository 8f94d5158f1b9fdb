// What a damaged set-aside store that was put away (damaged-databases.ts) still holds goes into the new one. A start
// that ends before all of it has is made good by the next: a file in the old store says that it is done.

import { access, readdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { crc32 } from '../crc32.ts'
import { CORRUPT } from './errors.ts'
import { SET_ASIDE } from './index-rows.ts'
import { syncDirectory } from './segment.ts'
import { SegmentFiles } from './segment-files.ts'
import type { SetAside } from './set-aside.ts'
import type { SpoolIndex } from './spool-index.ts'

const PAGE = 250
const DONE = 'TAKEN-OVER'
/** Beside it: what the index does not know was not forgotten by it, but lost with it. */
const UNKNOWN_TOO = 'INDEX-WAS-LOST'

export interface NewStore {
  /** Where it lies, with those that were put away beside it. */
  readonly location: string
  readonly setAside: SetAside
  readonly index: SpoolIndex
}

/** Rejects where what is sound cannot be written; nothing is lost by that. */
export async function takeOver (store: NewStore): Promise<void> {
  const { location, index } = store
  const name = basename(location)
  const kept = (await readdir(dirname(location))).filter((other) => other.startsWith(`${name}.damaged`))
  for (const path of kept.map((other) => join(dirname(location), other))) {
    if (await isThere(join(path, DONE))) continue
    if (index.ledger.acknowledged === 0) await note(path, UNKNOWN_TOO)
    await takeOverOne(path, store, await isThere(join(path, UNKNOWN_TOO)))
    await noteLost(store)
    await note(path, DONE)
  }
}

/** It shows what had been removed from it, too: where the index knows better, it decides. */
async function takeOverOne (path: string, { index, setAside }: NewStore, withUnknown: boolean): Promise<void> {
  const salvaged = await SegmentFiles.open(path, 0)
  try {
    for await (const { sequence, entry: written, isWhole } of salvaged.entries()) {
      const located = index.locate(sequence)
      const entry = located?.entry ?? written
      const isWanted = located?.segment === SET_ASIDE && (located.state === 'waiting' || located.state === 'failed')
      if (entry === undefined || !(isWanted || (withUnknown && isWhole && located === undefined))) continue
      const failure = located?.state === 'failed'
        ? located.failure
        : { failedAt: Date.now(), reason: 'unknown', detail: 'why it failed was lost with the index', attempts: 0 }
      if (await setAside.put(entry, failure, await salvaged.payload(sequence))) continue
      throw new Error(`what ${path} still holds of the failed images cannot be written: make room, and start again`)
    }
  } finally {
    await salvaged.close()
  }
}

/** Nobody is to think that what the old store did not give back can be sent again. */
async function noteLost ({ index, setAside }: NewStore): Promise<void> {
  for (let after: number | undefined = Number.MAX_SAFE_INTEGER; after !== undefined;) {
    const { held, next } = await index.list({ state: 'failed', limit: PAGE, after })
    for (const one of held) {
      if (one.state !== 'failed' || one.failure.reason === CORRUPT) continue
      if (index.locate(one.entry.sequence)?.segment !== SET_ASIDE) continue
      const payload = await setAside.payload(one.entry.sequence)
      if (payload !== undefined && crc32(payload) === one.entry.crc32) continue
      const detail = `its bytes were lost with the damaged set-aside store; before that: ${one.failure.reason}`
      await index.lost(one.entry.sequence, { ...one.failure, reason: CORRUPT, detail })
    }
    after = next
  }
}

async function note (path: string, name: string): Promise<void> {
  await writeFile(join(path, name), '', { flush: true })
  await syncDirectory(path)
}

async function isThere (path: string): Promise<boolean> {
  return await access(path).then(() => true, () => false)
}
