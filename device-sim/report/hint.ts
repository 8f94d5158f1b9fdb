import { formatValue, type Outcome } from './outcome.ts'
import { LAG_MS_MAX } from './report.ts'

/** What to make of a run, in a sentence or two; the gravest first. */
export function hintOf ({ report, verdict, notJudged, thresholds }: Outcome): string {
  const { counts, fromPlan, fromSend, lag, drops } = report
  if (notJudged !== undefined) {
    return `What became of the images is not known: ${notJudged}. Once it answers, \`verify --run\` judges this run.`
  }
  if (verdict !== undefined && verdict.lost.count > 0) {
    return `${verdict.lost.count} images had their PUBACK and are not in the store: the receiver took responsibility for what it did not keep. ` +
      'Look at what it does between PUBACK and disk, and at what a restart forgets.'
  }
  if (verdict !== undefined && verdict.corrupted.count > 0) return 'Some objects are not what was sent: look at the path between broker and store, and at checksums there.'
  if (verdict !== undefined && verdict.duplicated.count > 0) return 'Some images are stored twice: the receiver does not know an image again that a device sends once more.'
  if (verdict !== undefined && verdict.unexpected.count > 0) return 'Some objects should not be there: what is no image was stored, or an image under another name.'
  if (verdict !== undefined && verdict.unread.count > 0) {
    return `The store lists ${verdict.unread.count} objects that it did not give, and each may be one too many or not what was sent: ` +
      'look at why it does not, then `verify --run` judges this run again.'
  }
  if (report.faults.length > 0) {
    return 'The run was not what its scenario says, for the reason named first; no number here speaks of the broker. Put that right and run it again.'
  }
  if (!report.isValid && report.model === 'closed') {
    return 'The simulator was the limit, not the broker: the throughput is the least that the broker can do, and the latencies are the ' +
      'simulator’s own. Add --workers, or send smaller images.'
  }
  if (!report.isValid) {
    return `The simulator could not keep its own plan (lag p99 ${lag.p99.toFixed(0)} ms, over ${LAG_MS_MAX} ms): take fewer devices, ` +
      'add --workers, or give it a core of its own; no latency here says anything of the broker.'
  }
  if (drops.full > 0) {
    return `Devices took pictures faster than they could hand them over, and ${drops.full} were overwritten: a larger --device-queue ` +
      'bridges an outage, only a faster receiver bridges a load.'
  }
  if (counts.unfinished > 0) {
    return `${counts.unfinished} images had no PUBACK at the end and are in no percentile, so the true ones are worse: wait longer with --drain-timeout.`
  }
  if (counts.acknowledged === 0) return 'No image had a PUBACK; there is nothing to measure.'
  const failed = thresholds.find(({ holds }) => !holds)
  if (failed !== undefined && failed.value === undefined) return `${failed.text} was not measured; what is in the store is only known with --verify.`
  if (fromPlan.p99 > 10 * fromSend.p99 && fromPlan.p99 > 1000) {
    return `${verdict === undefined ? '' : 'Nothing was lost. '}Most of the latency was spent in the devices, waiting for a connection ` +
      'or for room in their window: see --inflight, outages and flapping.'
  }
  if (failed !== undefined) {
    return `${verdict === undefined ? 'Every image had its PUBACK' : 'Nothing was lost'}, but ${failed.text} did not hold: it was ${formatValue(failed)}.`
  }
  return verdict === undefined
    ? 'Every image had its PUBACK. Whether they are in the store is only known with --verify.'
    : 'Every image had its PUBACK and is in the store, byte for byte.'
}
