import { open, readdir, readFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Entry } from '../entry.ts'
import { parseEntry } from './entry-record.ts'
import { salvageLog } from './log-salvage.ts'
import { findLogDamage } from './log-damage.ts'
import { joinParts, NOWHERE, readPlace, type Allocate, type Parts, type Spots } from './place.ts'
import { readLog } from './segment-log.ts'
import { parseSequence, type SegmentReader } from './segment.ts'
import { readTable } from './table.ts'

/** What a segment says of one entry. */
export interface Found {
  readonly sequence: number
  /** Undefined where its record is damaged. */
  readonly entry: Entry | undefined
  /** False where the payload was never written to its end. */
  readonly isWhole: boolean
}

interface Content {
  readonly parts: ReadonlyMap<number, Parts>
  readonly damage: string | undefined
}

/**
 * A segment that is not filled any more, read from its files without LevelDB: opening a database copies its log
 * into tables, drops what is damaged without a word and deletes the log. Nothing is written here.
 */
export class SegmentFiles implements SegmentReader {
  readonly number: number
  readonly #files: readonly FileHandle[]
  readonly #logs: readonly FileHandle[]
  readonly #allocate: Allocate | undefined
  #parts: ReadonlyMap<number, Parts>
  #damage: string | undefined
  #salvaging: Promise<void> | undefined

  private constructor (
    number: number, files: ReadonlyMap<string, FileHandle>, { parts, damage }: Content, allocate: Allocate | undefined
  ) {
    this.number = number
    this.#allocate = allocate
    this.#files = [...files.values()]
    this.#logs = [...files].filter(([name]) => name.endsWith('.log')).map(([, file]) => file)
    this.#parts = parts
    this.#damage = damage
  }

  /** Where there are no files it holds nothing; `allocate` is for payloads. Rejects where the disk does not answer. */
  static async open (location: string, number: number, allocate?: Allocate): Promise<SegmentFiles> {
    const names = await readdir(location).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    const files = new Map<string, FileHandle>()
    const parts = new Map<number, Parts>()
    const damages: string[] = []
    try {
      for (const name of names.filter((name) => /\.(log|ldb|sst)$/.test(name)).sort()) {
        const path = join(location, name)
        const file = await open(path, 'r')
        files.set(name, file)
        const { found, damage } = name.endsWith('.log') ? await readOrSalvage(file) : readSpots(await readFile(path))
        addSpots(parts, file, found)
        if (damage !== undefined) damages.push(`${name}: ${damage}`)
      }
    } catch (error) {
      await Promise.all([...files.values()].map((file) => file.close()))
      throw error
    }
    const damage = damages.length > 0 ? damages.join(', ') : undefined
    return new SegmentFiles(number, files, { parts, damage }, allocate)
  }

  /** What is wrong with the files as far as it was seen; payloads are held to their checksums by who reads them. */
  get damage (): string | undefined { return this.#damage }

  async payload (sequence: number): Promise<Buffer | undefined> {
    const parts = this.#parts.get(sequence)
    if (parts === undefined || parts.payloadBytes < 0) return undefined
    const { payloadFile: file, payloadAt: at, payloadBytes: bytes } = parts
    return await readPlace({ file, at, bytes, isFramed: this.#logs.includes(file) }, this.#allocate)
  }

  async entry (sequence: number): Promise<Entry | undefined> {
    const parts = this.#parts.get(sequence)
    if (parts === undefined || parts.entryBytes < 0) return undefined
    const { entryFile: file, entryAt: at, entryBytes: bytes } = parts
    const text = await readPlace({ file, at, bytes, isFramed: this.#logs.includes(file) })
    return text && parseEntry(text.toString())
  }

  /** In order of acceptance. */
  async * entries (): AsyncGenerator<Found> {
    for (const sequence of [...this.#parts.keys()].sort((a, b) => a - b)) {
      const isWhole = (this.#parts.get(sequence)?.payloadBytes ?? -1) >= 0
      yield { sequence, entry: await this.entry(sequence), isWhole }
    }
  }

  /** What a process that was killed had written and not synced is durable once it resolves. */
  async sync (): Promise<void> {
    await Promise.all(this.#files.map((file) => file.sync()))
  }

  /** Looks at every byte for what the structure of the logs does not show any more. */
  async salvage (): Promise<void> {
    this.#salvaging ??= (async () => {
      const parts = new Map(this.#parts)
      for (const file of this.#logs) addSpots(parts, file, await salvageLog(file))
      this.#parts = parts
      this.#damage ??= 'not every byte is what was written'
    })()
    return await this.#salvaging
  }

  async close (): Promise<void> {
    await Promise.all(this.#files.map((file) => file.close()))
  }
}

function addSpots (parts: Map<number, Parts>, file: FileHandle, found: ReadonlyMap<number, Spots>): void {
  for (const [sequence, spots] of found) {
    parts.set(sequence, joinParts(parts.get(sequence), { ...spots, entryFile: file, payloadFile: file }))
  }
}

interface FileSpots {
  readonly found: ReadonlyMap<number, Spots>
  readonly damage?: string
}

async function readOrSalvage (file: FileHandle): Promise<FileSpots> {
  try {
    return { found: await readLog(file) }
  } catch {
    const damage = await findLogDamage(file)
    return { found: await salvageLog(file), ...damage !== undefined && { damage } }
  }
}

/** Tables are what LevelDB made of a log, when an earlier version let it. */
function readSpots (table: Buffer): FileSpots {
  const { rows, damaged } = readTable(table)
  const found = new Map<number, Spots>()
  for (const { key, at, bytes } of rows) {
    const sequence = parseSequence(key.slice(1))
    if (!/^[ep]/.test(key)) continue
    const place = key.startsWith('e') ? { entryAt: at, entryBytes: bytes } : { payloadAt: at, payloadBytes: bytes }
    found.set(sequence, { ...NOWHERE, ...found.get(sequence), ...place })
  }
  return { found, ...damaged > 0 && { damage: `${damaged} of its blocks are damaged` } }
}
