import { CounterRate } from '../rates.ts'
import { describeStatus, type Status } from '../status.ts'
import type { HttpDeps, HttpOptions } from './deps.ts'

export interface LiveStatus {
  /** As of now; every figure is read from its owner. */
  read (): Status
  close (): void
}

const SAMPLE_EVERY_MS = 1000

export function openLiveStatus (deps: HttpDeps, { version, targetMs }: Pick<HttpOptions, 'version' | 'targetMs'>): LiveStatus {
  const startedAt = Date.now()
  const sent = new CounterRate()
  const timer = setInterval(() => { sent.sample(deps.sentBytes()) }, SAMPLE_EVERY_MS)
  timer.unref()
  return {
    read: () => describeStatus({
      now: Date.now(),
      startedAt,
      version,
      place: deps.store.place,
      isStopping: deps.isStopping(),
      ledger: deps.spool.ledger,
      spool: deps.spool.levels,
      uplink: deps.uplink.levels,
      limit: deps.limits.inForce,
      flow: deps.rates.read(),
      sentBytes: deps.sentBytes(),
      sentBytesPerSecond: sent.perSecond,
      targetMs,
      allowanceAt: deps.allowanceAt,
      failedUnderOtherStore: deps.failedUnderOtherStore?.()
    }),
    close: () => { clearInterval(timer) }
  }
}
