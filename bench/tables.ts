import type { FleetRow } from './identity.ts'
import { formatDiskUse, formatFlat, formatSoak, formatSteady } from './lasting-tables.ts'
import { count, latencies, megabytes, ms, percent, table } from './markdown.ts'
import type { PeerRow } from './rounds.ts'
import type { Results } from './results.ts'
import type { SiteRow } from './site.ts'

/** What a run measured, as Markdown tables by the name of their part. */
export function formatTables (results: Results): Map<string, string> {
  const { intake, endToEnd, verified, drain, site, start, idle, pick, outage, profile } = results
  const tables = new Map<string, string>()
  if (intake !== undefined) tables.set('intake', formatPeers('durable intake, 250 kB', intake))
  if (endToEnd !== undefined) {
    tables.set('end-to-end', formatPeers('device to confirmed object, 250 kB, no limit', endToEnd))
  }
  if (verified !== undefined) {
    tables.set('verified', table(['every object verified against the local store', 'acknowledged', 'lost / duplicated / corrupted', 'seconds'], [
      [`${verified.devices} devices`, count(verified.acknowledged),
        `${verified.lost} / ${verified.duplicated} / ${verified.corrupted}`, verified.seconds.toFixed(0)]]))
  }
  if (drain !== undefined) {
    tables.set('drain', table(['a backlog leaves, 250 kB, no limit', 'CPU per image', 'main thread', 'S3 client per put', 'peak resident'], [
      [`${drain.imagesPerSecond.toFixed(0)} images/s`, ms(drain.cpuMsPerImage, 2), ms(drain.mainCpuMsPerImage, 2),
        ms(drain.sdkCpuMsPerPut, 2), megabytes(drain.peakMegabytes)]]))
  }
  if (start !== undefined) {
    tables.set('start', table(['start', 'ready after', 'peak resident'], start.map((row) =>
      [`${count(row.waiting)} images waiting, after ${row.after}`, `${row.readySeconds.toFixed(1)} s`, megabytes(row.residentMegabytes)])))
  }
  if (idle !== undefined) {
    tables.set('idle', table(['idle connections', 'open', 'each', 'resident'], idle.map((row) =>
      [row.name, count(row.connections), `${(row.bytesEach / 1000).toFixed(1)} kB`, megabytes(row.residentMegabytes)])))
  }
  if (pick !== undefined) {
    tables.set('pick', table(['pick of the next image', 'rows', 'a pick', 'of the fewest rows'], pick.map((row) =>
      [row.order, count(row.rows), `${row.microseconds.toFixed(0)} µs`, row.ratio.toFixed(2)])))
  }
  if (outage !== undefined) {
    const heads = ['the store is away', 'images wait then', 'sent in vain', 'first image', 'at the allowance', '5 to 15 s after']
    tables.set('outage', table(heads, [[`${outage.seconds} s, ${outage.devices} devices`, count(outage.waiting),
      percent(outage.wastedShare), `${outage.firstStoredSeconds.toFixed(1)} s after`,
      `${outage.atAllowanceSeconds.toFixed(1)} s after`, percent(outage.wireShareAfter)]]))
  }
  if (results.identity !== undefined) {
    tables.set('identity', [formatFleets(results.identity.fleets), formatPeers('durable intake, 250 kB (target of the ratio 0.97)', results.identity.intake)].join('\n\n'))
  }
  if (results.flat !== undefined) tables.set('flat', formatFlat(results.flat))
  if (results.steady !== undefined) tables.set('steady', formatSteady(results.steady))
  if (results.soak !== undefined) tables.set('soak', formatSoak(results.soak))
  if (results.disk !== undefined) tables.set('disk', formatDiskUse(results.disk))
  if (site !== undefined) tables.set('site', formatSite(site))
  if (profile !== undefined) {
    tables.set('profile', profile.map(({ stage, functions }) =>
      table([`${stage}: main thread, self time`, 'share', 'an image'], functions.map((row) =>
        [row.name, percent(row.share), `${row.microsecondsPerImage.toFixed(0)} µs`]))).join('\n\n'))
  }
  return tables
}

export function formatResults (results: Results): string {
  const { at, machine, node, stolenShare = 0 } = results
  const peers = [...results.intake ?? [], ...results.endToEnd ?? [], ...results.idle ?? []]
  return [
    `${at}, ${machine}, Node ${node}; ${percent(stolenShare)} of the CPU time that was wanted went to others on the host`,
    ...new Set(peers.map(({ name, version }) => `${name}: ${version}`)), '',
    ...[...formatTables(results).values()].flatMap((one) => [one, ''])
  ].join('\n')
}

/**
 * The text with each table put between its marks, `<!-- bench:intake -->` and `<!-- /bench:intake -->`; a table whose
 * marks it does not have is left out.
 */
export function fillIn (text: string, results: Results): string {
  let filled = text
  for (const [name, content] of formatTables(results)) {
    const [open, close] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`]
    const [from, to] = [filled.indexOf(open), filled.indexOf(close)]
    if (from >= 0 && to > from) filled = `${filled.slice(0, from + open.length)}\n${content}\n${filled.slice(to)}`
  }
  return filled
}

function formatPeers (title: string, rows: readonly PeerRow[]): string {
  return table([title, 'devices', 'images/s', 'MB/s', 'ratio', 'PUBACK p50 / p95 / p99', 'CPU per image', 'peak resident',
    'written per byte', 'acknowledged'], rows.map((row) => [
    row.name,
    count(row.devices),
    count(row.imagesPerSecond),
    count(row.megabytesPerSecond),
    row.ratio?.toFixed(2) ?? '-',
    latencies([row.pubackMs.p50, row.pubackMs.p95, row.pubackMs.p99]),
    ms(row.cpuMsPerImage, 2),
    row.peakMegabytes === undefined ? '-' : megabytes(row.peakMegabytes),
    row.writtenPerByte.toFixed(2),
    formatAcknowledged(row.acknowledged)
  ]))
}

/** `4000/4000` for each round is one word where all rounds had all. */
function formatAcknowledged (acknowledged: string): string {
  const rounds = acknowledged.split(' ')
  const isAll = rounds.every((round) => { const [got, sent] = round.split('/'); return got === sent })
  return isAll ? 'all' : acknowledged
}

function formatFleets (rows: readonly FleetRow[]): string {
  const heads = ['a fleet connects at once', 'devices', 'when', 'refused (target 0)', 'all within (target 30 s)', 'CPU of the service, each']
  return table(heads, rows.map((row) =>
    [row.proof, count(row.devices), row.when, count(row.refused), `${row.seconds.toFixed(1)} s`, ms(row.cpuMsEach, 2)]))
}

function formatSite (site: SiteRow): string {
  return table([`${site.devices} devices, 2 images/min of 250 kB, ${site.seconds} s, uplink 40 Mbit/s`, ''], [
    ['images acknowledged', count(site.acknowledged)],
    ['lost / duplicated / corrupted', `${site.lost} / ${site.duplicated} / ${site.corrupted}`],
    ['PUBACK p50 / p99', `${site.pubackMs.p50.toFixed(1)} / ${site.pubackMs.p99.toFixed(1)} ms`],
    ['peak resident memory', megabytes(site.peakMegabytes)],
    ['of the allowance on the wire, most in any 10 s', percent(site.wireShare.most)],
    ['of the allowance on the wire, least in any 10 s with a backlog', percent(site.wireShare.least)],
    ['the ledger adds up', site.isLedgerExact ? 'yes' : 'NO']
  ])
}
