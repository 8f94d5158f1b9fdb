// `npm run bench`: the figures of the README, measured on this machine. `-- --only NAME` runs one part: intake, drain,
// site, start, pick, outage (which runs by name alone). `--rounds N`, `--seconds N` (of the site and of the outage),
// `--against DIR` (another checkout, built: intake of the two and no peers), `--json`. Kept in bench/results/.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { benchDrain, type DrainRow } from './drain.ts'
import { benchIntake, type IntakeRow } from './intake.ts'
import { PEERS, peersAgainst } from './peers.ts'
import { benchOutage, type OutageRow } from './outage.ts'
import { benchPick, type PickRow } from './pick.ts'
import { benchSite, type SiteRow } from './site.ts'
import { benchStart, type StartRow } from './start.ts'

interface Results {
  readonly at: string
  readonly machine: string
  readonly node: string
  readonly revision: string
  /** Of the CPU time that something wanted during the run, what the host gave to somebody else. */
  stolenShare?: number
  intake?: IntakeRow[]
  drain?: DrainRow
  site?: SiteRow
  start?: StartRow[]
  pick?: PickRow[]
  outage?: OutageRow
}

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '180' },
    against: { type: 'string' },
    json: { type: 'boolean', default: false }
  }
})
const wants = (name: string): boolean => values.only === undefined || values.only === name

const results: Results = {
  at: new Date().toISOString(),
  machine: `${cpus().length} cores, ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
  node: process.version,
  revision: execFileSync('git', ['rev-parse', '--short', 'HEAD']).toString().trim()
}
const before = readCpuTicks()
if (wants('intake')) {
  const rounds = Number(values.rounds)
  const peers = values.against === undefined ? PEERS : peersAgainst(values.against)
  const [some, many] = [{ devices: 100, count: 4000, rounds }, { devices: 1000, count: 4000, rounds: 1 }]
  results.intake = [...await benchIntake(peers, some), ...await benchIntake(peers, many)]
}
if (wants('drain')) results.drain = await benchDrain(4000)
if (wants('start')) results.start = await benchStart(20_000)
if (wants('pick')) results.pick = await benchPick([1000, 100_000, 1_000_000])
const site = { devices: 1000, seconds: Number(values.seconds), bytes: 250_000 }
if (wants('site')) results.site = await benchSite(site)
if (values.only === 'outage') results.outage = await benchOutage(site)
const after = readCpuTicks()
results.stolenShare = (after.stolen - before.stolen) / Math.max(1, after.wanted - before.wanted)

mkdirSync('bench/results', { recursive: true })
const file = `bench/results/${results.at.slice(0, 19).replaceAll(':', '')}.json`
writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`)
console.log(values.json ? JSON.stringify(results) : formatResults(results))
console.error(`kept in ${file}`)

/** proc(5): user, nice, system, idle, iowait, irq, softirq and steal, summed over the cores. */
function readCpuTicks (): { wanted: number, stolen: number } {
  if (!existsSync('/proc/stat')) return { wanted: 0, stolen: 0 }
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] =
    readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.trim().split(/\s+/).slice(1).map(Number) ?? []
  return { wanted: user + nice + system + irq + softirq + stolen, stolen }
}

function formatResults (results: Results): string {
  const { at, machine, node, stolenShare = 0, intake = [], drain, site, start = [], pick = [], outage } = results
  const stolen = `${(stolenShare * 100).toFixed(1)} % of the CPU time that was wanted went to others on the host`
  const lines = [`${at}, ${machine}, Node ${node}; ${stolen}`, '']
  if (intake.length > 0) {
    lines.push('| durable intake, 250 kB | devices | images/s | of the second | PUBACK p50 / p99 | CPU per image | peak resident | acknowledged |')
    lines.push('|---|---|---|---|---|---|---|---|')
    lines.push(...intake.map((row) => `| ${row.name} | ${row.devices} | ${row.imagesPerSecond.toFixed(0)} | ` +
      `${row.ratio?.toFixed(2) ?? '-'} | ${row.pubackMs.p50.toFixed(0)} / ${row.pubackMs.p99.toFixed(0)} ms | ` +
      `${row.cpuMsPerImage.toFixed(2)} ms | ${row.peakMegabytes.toFixed(0)} MB | ${row.acknowledged} |`), '')
  }
  if (drain !== undefined) {
    lines.push('| a backlog leaves, 250 kB, no limit | CPU per image | main thread | S3 client per put | peak resident |')
    lines.push('|---|---|---|---|---|')
    lines.push(`| ${drain.imagesPerSecond.toFixed(0)} images/s | ${drain.cpuMsPerImage.toFixed(2)} ms | ` +
      `${drain.mainCpuMsPerImage.toFixed(2)} ms | ${drain.sdkCpuMsPerPut.toFixed(2)} ms | ${drain.peakMegabytes.toFixed(0)} MB |`, '')
  }
  if (start.length > 0) {
    lines.push('| start | ready after | peak resident |', '|---|---|---|')
    lines.push(...start.map((row) => `| ${row.waiting.toLocaleString('en')} images waiting, after ${row.after} | ` +
      `${row.readySeconds.toFixed(1)} s | ${row.residentMegabytes.toFixed(0)} MB |`), '')
  }
  if (pick.length > 0) {
    lines.push('| pick of the next image | rows | a pick | of the fewest rows |', '|---|---|---|---|')
    lines.push(...pick.map((row) => `| ${row.order} | ${row.rows.toLocaleString('en')} | ` +
      `${row.microseconds.toFixed(0)} µs | ${row.ratio.toFixed(2)} |`), '')
  }
  if (outage !== undefined) {
    lines.push('| the store is away | devices | images wait then | sent in vain | first image after | at the allowance after | 5 to 15 s after |')
    lines.push('|---|---|---|---|---|---|---|')
    lines.push(`| ${outage.seconds} s | ${outage.devices} | ${outage.waiting.toLocaleString('en')} | ` +
      `${percent(outage.wastedShare)} | ${outage.firstStoredSeconds.toFixed(1)} s | ` +
      `${outage.atAllowanceSeconds.toFixed(1)} s | ${percent(outage.wireShareAfter)} |`, '')
  }
  if (site !== undefined) lines.push(...formatSite(site))
  return lines.join('\n')
}

function formatSite (site: SiteRow): string[] {
  const rows: Array<readonly [string, string]> = [
    ['images acknowledged', site.acknowledged.toLocaleString('en')],
    ['lost / duplicated / corrupted', `${site.lost} / ${site.duplicated} / ${site.corrupted}`],
    ['PUBACK p50 / p99', `${site.pubackMs.p50.toFixed(1)} / ${site.pubackMs.p99.toFixed(1)} ms`],
    ['peak resident memory', `${site.peakMegabytes.toFixed(0)} MB`],
    ['of the allowance on the wire, most in any 10 s', percent(site.wireShare.most)],
    ['of the allowance on the wire, least in any 10 s with a backlog', percent(site.wireShare.least)],
    ['the ledger adds up', site.isLedgerExact ? 'yes' : 'NO']
  ]
  return [
    `| ${site.devices} devices, 2 images/min of 250 kB, ${site.seconds} s, uplink 40 Mbit/s | |`, '|---|---|',
    ...rows.map(([name, value]) => `| ${name} | ${value} |`), ''
  ]
}

function percent (share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
