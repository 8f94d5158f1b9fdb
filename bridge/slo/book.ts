// What is remembered of the months, in <dataDir>/slo/:
//
//   state.json     { "v": 1, "cursor", "since", "nextId", "hours": [Hour, ...] }: up to where images are judged, and
//                  the hours that may still change. Written as a whole, so that both are of one moment.
//   2026-11.jsonl  an Hour a line, each of an hour that is over. After a crash one may stand twice: the id tells.

import { appendFile, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseObject } from '../json.ts'
import { makeDirectory } from '../spool/segment.ts'
import { CAUSES, monthOf, SPANS, VERDICTS, type Hour } from './hour.ts'

export interface BookState {
  /** The last sequence that was judged. */
  readonly cursor: number
  /** Begin of the book, ms since epoch. */
  readonly since: number
  readonly nextId: number
  readonly hours: readonly Hour[]
}

/** Files of months before are removed. A month takes 0.3 MB as a rule and 3 MB at most. */
const MONTHS_KEPT = 25
const MONTH_FILE = /^\d{4}-\d\d\.jsonl$/

export class Book {
  readonly #directory: string

  constructor (directory: string) {
    this.#directory = directory
  }

  /** Undefined where there is none yet; a sentence where it cannot be read, and then it is put aside. */
  async read (): Promise<BookState | string | undefined> {
    await makeDirectory(this.#directory)
    const file = join(this.#directory, 'state.json')
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (text === undefined) return undefined
    const state = parseState(text)
    if (state !== undefined) return state
    await rename(file, `${file}.damaged`)
    return `${file} does not hold what was written; it is kept as state.json.damaged, and images are judged from now on`
  }

  /** Resolves once a crash cannot undo it. */
  async write (state: BookState): Promise<void> {
    const file = join(this.#directory, 'state.json')
    const handle = await open(`${file}.new`, 'w', 0o600)
    try {
      await handle.writeFile(JSON.stringify({ v: 1, ...state }))
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(`${file}.new`, file)
  }

  /** The hours are over. To be called before the state is written without them. */
  async close (hours: readonly Hour[]): Promise<void> {
    await mkdir(this.#directory, { recursive: true })
    for (const hour of hours) {
      // A line that was cut short has no end of its own.
      await appendFile(join(this.#directory, `${monthOf(hour.at)}.jsonl`), `\n${JSON.stringify(hour)}`, { flush: true })
    }
    const months = (await readdir(this.#directory)).filter((name) => MONTH_FILE.test(name)).sort()
    for (const name of months.slice(0, -MONTHS_KEPT)) await rm(join(this.#directory, name))
  }

  /** The hours of that month and of later ones that are over, in no order. */
  async hoursFrom (month: string): Promise<Hour[]> {
    const names = (await readdir(this.#directory)).filter((name) => MONTH_FILE.test(name) && name >= `${month}.jsonl`)
    const hours = new Map<number, Hour>()
    for (const name of names) {
      for (const line of (await readFile(join(this.#directory, name), 'utf8')).split('\n')) {
        const hour = parseObject(line)
        if (isHour(hour)) hours.set(hour.id, hour)
      }
    }
    return [...hours.values()]
  }
}

function parseState (text: string): BookState | undefined {
  const state = parseObject(text)
  const { v, cursor, since, nextId, hours } = state ?? {}
  if (v !== 1 || ![cursor, since, nextId].every(Number.isFinite)) return undefined
  if (!Array.isArray(hours) || !hours.every(isHour)) return undefined
  return { cursor, since, nextId, hours } as BookState // looked at field by field
}

function isHour (value: unknown): value is Hour {
  if (typeof value !== 'object' || value === null) return false
  const { id, at, verdicts, causes, seconds, latencies } = value as Partial<Record<keyof Hour, unknown>>
  return Number.isFinite(id) && Number.isFinite(at) && isCounts(verdicts, VERDICTS) && isCounts(causes, CAUSES) &&
    isCounts(seconds, SPANS) && typeof latencies === 'object' && latencies !== null
}

function isCounts (value: unknown, keys: readonly string[]): boolean {
  return typeof value === 'object' && value !== null &&
    keys.every((key) => Number.isFinite((value as Readonly<Record<string, unknown>>)[key]))
}
