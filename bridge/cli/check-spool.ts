// What `sluice check` says of the images on disk, and what --repair does about them.

import { formatCount, formatImages } from '../amounts.ts'
import type { Config } from '../config/config.ts'
import { describe } from '../log-lines.ts'
import { inspectSpool, isWell, type SpoolReport } from '../spool/inspect.ts'
import { EXIT, explainFailure } from './exit.ts'
import { bad, good, warn, type Finding } from './finding.ts'

const SPOOL = 'images'
/** Named one by one; --json names all. */
const NAMED_MAX = 20

/** Nothing where there is no spool yet. */
export async function checkContents ({ spool: { dir } }: Config): Promise<readonly Finding[]> {
  try {
    const report = await inspectSpool(dir)
    return report === undefined ? [] : describeReport(report)
  } catch (error) {
    const { code, message } = explainFailure(error)
    return [bad(SPOOL, message, code)]
  }
}

/** What was done, one finding each, and how it stands now. Throws where the spool cannot be opened. */
export async function repair (config: Config): Promise<readonly Finding[]> {
  const { spoolOptions } = await import('../bridge.ts')
  const { repairSpool } = await import('../spool/repair.ts')
  const done: Finding[] = []
  const corrupt = await repairSpool(spoolOptions(config), (event) => {
    if (event.kind === 'spool-damaged' || event.kind === 'entry-failed') done.push(warn('repair', describe(event)))
    if (event.kind === 'spool-fault') done.push(bad('repair', describe(event), EXIT.io))
  })
  done.push(good('repair', corrupt === 0 ? 'every image that waits can be sent' : `${formatImages(corrupt)} set aside as failed`))
  return [...done, ...await checkContents(config)]
}

function describeReport (report: SpoolReport): readonly Finding[] {
  const { ledger, segments, sound, damages, damaged, orphaned, unindexed, kept } = report
  const state = ledger === undefined
    ? 'the index is damaged'
    : `${formatCount(ledger.acknowledged)} acknowledged = ${formatCount(ledger.uploaded)} uploaded + ` +
      `${formatCount(ledger.waiting)} waiting + ${formatCount(ledger.failed)} failed + ${formatCount(ledger.dropped)} dropped` +
      (ledger.exact ? '' : ', which does not add up')
  const summary = `${state}; ${formatImages(sound)} in ${formatCount(segments)} segments are sound`
  const isSound = isWell(report)
  return [
    { ...isSound ? good(SPOOL, summary) : bad(SPOOL, summary, EXIT.io), spool: report },
    ...damages.map((damage) => bad('damage', `${damage}; a start, or --repair, saves what is sound and keeps the rest`, EXIT.io)),
    ...listed(damaged.map(({ deviceId, imageId, segment, detail }) =>
      `${deviceId}/${imageId} in ${segment === 0 ? 'the set-aside store' : `segment ${segment}`}: ${detail}`)),
    ...listed(orphaned.map((name) => `${name}: the index does not know it, and only --repair looks for it`)),
    ...unindexed === 0 ? [] : [good('restart', `${formatImages(unindexed)} of an abrupt end will be found by the next start`)],
    ...kept.map((path) => warn('kept', `${path} counts towards spool.limit: remove it once nobody wants to look at it`))
  ]
}

function listed (details: readonly string[]): readonly Finding[] {
  const left = details.length - NAMED_MAX
  return [
    ...details.slice(0, NAMED_MAX).map((detail) => bad('damage', detail, EXIT.io)),
    ...left > 0 ? [bad('damage', `${formatCount(left)} more: --json names them all`, EXIT.io)] : []
  ]
}
