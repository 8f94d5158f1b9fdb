import type { Observe } from '../events.ts'
import { EntryCorrupt } from './errors.ts'
import type { SpoolOptions } from './open-parts.ts'
import { Spool } from './spool.ts'

const PAGE = 1000

/**
 * What a start does with a damaged spool, and what the uplink would do later on: reads every segment and holds every
 * waiting image to its checksum. Damaged ones are set aside as failed. Says how many; rejects with SpoolOpenError.
 */
export async function repairSpool (options: SpoolOptions, observe: Observe): Promise<number> {
  const spool = await Spool.open({ ...options, isThorough: true }, observe)
  let corrupt = 0
  try {
    for (let after = 0; ;) {
      const entries = await spool.waiting(after, PAGE)
      for (const entry of entries) {
        try {
          await spool.payload(entry)
        } catch (error) {
          if (!(error instanceof EntryCorrupt)) throw error
          const failure = { failedAt: Date.now(), reason: error.code, detail: error.message, attempts: 0 }
          if (!await spool.setAside(entry, failure)) continue
          corrupt++
          observe({ kind: 'entry-failed', entry, failure })
        }
      }
      const last = entries.at(-1)
      if (last === undefined) return corrupt
      after = last.sequence
    }
  } finally {
    await spool.close()
  }
}
