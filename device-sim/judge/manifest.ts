// What a run leaves on disk, so that it can be judged after the simulator has crashed or long after it ended.
//
//   run.json    what it was: {"format": 1, "run", "startedAt", "images": <the file beside it>, "store"?, "scenario"},
//               and at the end of the run its report
//   run.jsonl   a line for each image before its first byte is sent, and one for its PUBACK:
//               {"sent": <SHA-256>, "device", "imageId", "bytes", "plannedAt", "expect"}
//               {"acked": <SHA-256>, "at": <ms since epoch>}
//
// Lines are written at once and not synced: they survive the simulator, and need not survive the machine.

import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Acknowledged, DeviceEvent, SentImage } from '../devices/events.ts'
import { SimulatorError } from '../errors.ts'
import type { Evidence } from '../report/report.ts'
import type { StoreAccess } from './bucket.ts'

const FORMAT = 1

export interface RunFile {
  readonly run: string
  readonly startedAt: number
  readonly scenario: string
  /** Without credentials. */
  readonly store?: Pick<StoreAccess, 'endpoint' | 'bucket' | 'region'> | undefined
  /** The file that the credentials came from, if one did. */
  readonly s3File?: string | undefined
}

/** Writes both files as the run goes on. Throws a SimulatorError where they cannot be written. */
export class Manifest {
  readonly path: string
  readonly #lines: number

  constructor (path: string) {
    this.path = path
    try {
      mkdirSync(dirname(path), { recursive: true })
      this.#lines = openSync(linesOf(path), 'w')
    } catch (cause) {
      throw new SimulatorError('USAGE', `run-file: ${path} cannot be written: ${String(cause)}`)
    }
  }

  begin (run: RunFile, report?: object): void {
    const head = { format: FORMAT, ...run, images: basename(linesOf(this.path)), ...(report && { report }) }
    writeFileSync(this.path, `${JSON.stringify(head, undefined, 2)}\n`)
  }

  observe (event: DeviceEvent): void {
    if (event.kind === 'sent' && !event.isAgain) {
      const { sha256: sent, ...image } = event.image
      this.#write({ sent, ...image })
    }
    if (event.kind === 'acknowledged') this.#write({ acked: event.image.sha256, at: event.image.ackedAt })
  }

  /** Writes the head again, with the report. */
  end (run: RunFile, report: object): void {
    this.begin(run, report)
    closeSync(this.#lines)
  }

  #write (line: object): void {
    writeSync(this.#lines, `${JSON.stringify(line)}\n`)
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
  if (head?.format !== FORMAT || typeof head.images !== 'string') {
    throw refuse('is not what --run-file writes; a report of --out cannot be judged')
  }
  const lines = await open(join(dirname(path), head.images)).catch((cause: unknown) => {
    throw refuse(`names images that cannot be read: ${String(cause)}`)
  })
  const acknowledged: Acknowledged[] = []
  const unacknowledged = new Map<string, SentImage>()
  for await (const line of lines.readLines()) readLine(line, acknowledged, unacknowledged)
  const { run, startedAt, scenario, store, s3File } = head
  const evidence = { run, startedAt, acknowledged, unacknowledged }
  return { file: { run, startedAt, scenario, store, s3File }, evidence }
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

function linesOf (path: string): string {
  return `${path.replace(/\.json$/, '')}.jsonl`
}
