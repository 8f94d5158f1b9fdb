import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import type { DiskUseRow } from './disk-use.ts'
import type { DrainRow } from './drain.ts'
import type { FlatRow } from './flat.ts'
import type { IdentityRow } from './identity.ts'
import type { IdleRow } from './idle.ts'
import type { OutageRow } from './outage.ts'
import type { PickRow } from './pick.ts'
import type { ProfileRow } from './profile.ts'
import type { PeerRow } from './rounds.ts'
import type { SiteRow } from './site.ts'
import type { SoakRow } from './soak.ts'
import type { StartRow } from './start.ts'
import type { SteadyRow } from './steady.ts'
import type { VerifiedRow } from './verified.ts'

/** One run, as it is kept in bench/results/; a part that was not asked for is absent. */
export interface Results {
  readonly at: string
  readonly machine: string
  readonly node: string
  readonly revision: string
  /** Of the CPU time that something wanted during the run, what the host gave to somebody else. */
  stolenShare?: number
  intake?: PeerRow[]
  endToEnd?: PeerRow[]
  verified?: VerifiedRow
  drain?: DrainRow
  site?: SiteRow
  start?: StartRow[]
  idle?: IdleRow[]
  pick?: PickRow[]
  outage?: OutageRow
  identity?: IdentityRow
  flat?: FlatRow[]
  steady?: SteadyRow[]
  soak?: SoakRow
  disk?: DiskUseRow
  profile?: ProfileRow[]
}

const FOLDER = 'bench/results'

export function beginResults (): Results {
  return {
    at: new Date().toISOString(),
    machine: `${cpus().length} cores, ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
    revision: execFileSync('git', ['rev-parse', '--short', 'HEAD']).toString().trim()
  }
}

/** Gives the name of a file beside others of the same run. */
export function nameFile ({ at }: Pick<Results, 'at'>, ending: string): string {
  mkdirSync(FOLDER, { recursive: true })
  return `${FOLDER}/${at.slice(0, 19).replaceAll(':', '')}${ending}`
}

export function keepResults (results: Results): string {
  const file = nameFile(results, '.json')
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`)
  return file
}

export interface CpuTicks {
  readonly wanted: number
  readonly stolen: number
}

/** proc(5): user, nice, system, idle, iowait, irq, softirq and steal, summed over the cores. */
export function readCpuTicks (): CpuTicks {
  if (!existsSync('/proc/stat')) return { wanted: 0, stolen: 0 }
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] =
    readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.trim().split(/\s+/).slice(1).map(Number) ?? []
  return { wanted: user + nice + system + irq + softirq + stolen, stolen }
}
