// What a run leaves on disk, so that it can be judged after the simulator has crashed or long after it ended.
//
//   run.json    what it was: {"format": 1, "run", "startedAt", "measuredFrom"?, "images": [<files beside it>],
//               "store"?, "scenario"},
//               and at the end of the run its report
//   run.jsonl   a line for each image before its first byte is sent, and one for its PUBACK:
//               {"sent": <SHA-256>, "device", "imageId", "bytes", "plannedAt", "expect"}
//               {"acked": <SHA-256>, "at": <ms since epoch>}
//               With --workers each process writes a file of its own, run.1.jsonl, run.2.jsonl and so on.
//
// Lines are written by the process that sends, at once and not synced (devices/image-lines.ts): they survive the
// simulator, and need not survive the machine.

import { mkdirSync, writeFileSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Acknowledged, SentImage } from '../devices/events.ts'
import { SimulatorError } from '../errors.ts'
import type { Evidence } from '../report/report.ts'
import type { StoreAccess } from './bucket.ts'

const FORMAT = 1

export interface RunFile {
  readonly run: string
  readonly startedAt: number
  /** Known once the captures begin; see Evidence. */
  readonly measuredFrom?: number | undefined
  readonly scenario: string
  /** Without credentials. */
  readonly store?: Pick<StoreAccess, 'endpoint' | 'bucket' | 'region'> | undefined
  /** The file that the credentials came from, if one did. */
  readonly s3File?: string | undefined
}

/** Writes the head, and makes room for the lines of so many processes. Throws a SimulatorError where it cannot. */
export class Manifest {
  readonly path: string
  /** One for each process. */
  readonly linesPaths: readonly string[]

  constructor (path: string, processes: number) {
    this.path = path
    const stem = path.replace(/\.json$/, '')
    this.linesPaths = processes === 1
      ? [`${stem}.jsonl`]
      : Array.from({ length: processes }, (_, index) => `${stem}.${index + 1}.jsonl`)
    try {
      mkdirSync(dirname(path), { recursive: true })
      for (const lines of this.linesPaths) writeFileSync(lines, '') // an earlier run may have left some
    } catch (cause) {
      throw new SimulatorError('USAGE', `run-file: ${path} cannot be written: ${String(cause)}`)
    }
  }

  /** At the beginning, and again with what is known later. */
  write (run: RunFile, report?: object): void {
    const images = this.linesPaths.map((lines) => basename(lines))
    const head = { format: FORMAT, ...run, images, ...(report && { report }) }
    writeFileSync(this.path, `${JSON.stringify(head, undefined, 2)}\n`)
  }
}

export interface ReadRun {
  readonly file: RunFile
  readonly evidence: Evidence
}

/** Reads what a run has left. A last line that was cut is left out. Throws a SimulatorError where it is no run. */
export async function readRun (path: string): Promise<ReadRun> {
  const refuse = (why: string): SimulatorError => new SimulatorError('USAGE', `run: ${path} ${why}`)
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw refuse(`cannot be read: ${String(cause)}`)
  })
  const head = parse(text) as (RunFile & { readonly format?: unknown, readonly images?: unknown }) | undefined
  const names = [head?.images].flat().filter((name) => typeof name === 'string')
  if (head?.format !== FORMAT || names.length === 0) {
    throw refuse('is not what --run-file writes; a report of --out cannot be judged')
  }
  const acknowledged: Acknowledged[] = []
  const unacknowledged = new Map<string, SentImage>()
  for (const name of names) {
    const lines = await open(join(dirname(path), name)).catch((cause: unknown) => {
      throw refuse(`names images that cannot be read: ${String(cause)}`)
    })
    for await (const line of lines.readLines()) readLine(line, acknowledged, unacknowledged)
  }
  const { run, startedAt, measuredFrom = startedAt, scenario, store, s3File } = head
  const evidence = { run, startedAt, measuredFrom, acknowledged, unacknowledged }
  return { file: { run, startedAt, measuredFrom, scenario, store, s3File }, evidence }
}

type Line = ({ readonly sent: string } & Omit<SentImage, 'sha256'>) | { readonly acked: string, readonly at: number }

function readLine (text: string, acknowledged: Acknowledged[], unacknowledged: Map<string, SentImage>): void {
  const line = parse(text) as Line | undefined
  if (line === undefined) return
  if ('sent' in line) {
    const { sent: sha256, ...image } = line
    unacknowledged.set(sha256, { ...image, sha256 })
    return
  }
  const image = unacknowledged.get(line.acked)
  if (image === undefined) return
  unacknowledged.delete(line.acked)
  acknowledged.push({ ...image, ackedAt: line.at })
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
