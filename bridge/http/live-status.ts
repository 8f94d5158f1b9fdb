import { Outlook } from '../outlook.ts'
import { CounterRate } from '../rates.ts'
import { describeStatus, type Facts, type Status } from '../status.ts'
import { describeWaiting } from '../waiting-line.ts'
import type { HttpDeps, HttpOptions } from './deps.ts'

export interface LiveStatus {
  /** As of now; every figure is read from its owner. */
  read (): Status
  close (): void
}

const SAMPLE_EVERY_MS = 1000
const LOOK_EVERY_MS = 10_000
const TELL_EVERY_MS = 60_000

export function openLiveStatus (deps: HttpDeps, { version, targetMs }: Pick<HttpOptions, 'version' | 'targetMs'>): LiveStatus {
  const startedAt = Date.now()
  const sent = new CounterRate()
  const outlook = new Outlook(deps.observe)
  const facts = (): Facts => ({
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
    scheduling: deps.scheduling?.(),
    warnings: outlook.warnings,
    failedUnderOtherStore: deps.failedUnderOtherStore?.()
  })
  const tellWaiting = (): void => {
    const waiting = describeWaiting(describeStatus(facts()))
    if (waiting !== undefined) deps.observe(waiting)
  }
  const timers = [
    setInterval(() => { sent.sample(deps.sentBytes()) }, SAMPLE_EVERY_MS),
    setInterval(() => { outlook.look(facts()) }, LOOK_EVERY_MS),
    setInterval(tellWaiting, TELL_EVERY_MS)
  ]
  for (const timer of timers) timer.unref()
  return {
    read: () => describeStatus(facts()),
    close: () => { for (const timer of timers) clearInterval(timer) }
  }
}
