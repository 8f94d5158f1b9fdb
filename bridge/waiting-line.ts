import { formatBytes, formatCount, formatImages, formatLine, formatLineOf, formatSpan } from './amounts.ts'
import type { BridgeEvent } from './events.ts'
import type { Status } from './status.ts'

/** What waits, as one sentence for the log; undefined where nothing does. */
export function describeWaiting (status: Status): BridgeEvent & { kind: 'backlog-waits' } | undefined {
  const { backlog: { count, bytes, oldestSeconds } } = status
  if (count === 0) return undefined
  const waits = `${formatImages(count)} (${formatBytes(bytes)}) ${count === 1 ? 'waits' : 'wait'}`
  const detail = [`oldest image is ${formatSpan(oldestSeconds)} old`, waits, usedOf(status), endOf(status)].join('; ')
  return { kind: 'backlog-waits', waiting: { count, bytes }, oldestSeconds, detail }
}

function usedOf ({ allowance: { bytesPerSecond, sentBytesPerSecond }, uplink, limit }: Status): string {
  if (limit.paused !== undefined) return 'uploads are paused'
  if (uplink.state === 'down') return `the uplink is down (${uplink.reason ?? 'not known why'})`
  if (bytesPerSecond === undefined) return `${formatLine(sentBytesPerSecond)} used, without a limit`
  return `${formatLineOf(sentBytesPerSecond, bytesPerSecond)} used`
}

function endOf ({ forecast: { emptyInSeconds, fullInSeconds }, images: { failed } }: Status): string {
  const aside = failed.count === 0 ? '' : `; ${formatCount(failed.count)} more would not upload and are kept`
  if (emptyInSeconds !== undefined) return `empty in about ${formatSpan(emptyInSeconds)}${aside}`
  if (fullInSeconds !== undefined) return `not getting less, and the spool is full in about ${formatSpan(fullInSeconds)}${aside}`
  return `not getting less${aside}`
}
