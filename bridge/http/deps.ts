import type { Anonymous } from '../../broker/admission.ts'
import type { MemoryBudget } from '../../broker/budget.ts'
import type { Identities } from '../../broker/identities.ts'
import type { Entry } from '../entry.ts'
import type { Observe } from '../events.ts'
import type { Intake } from '../intake/intake.ts'
import type { Lives } from '../lives.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import type { PaceAt } from '../plan/pace.ts'
import type { Rates } from '../rates.ts'
import type { Slo } from '../slo/slo.ts'
import type { Spool } from '../spool/spool.ts'
import type { Limits } from '../uplink/limits.ts'
import type { SchedulerOptions } from '../uplink/scheduler.ts'
import type { Uplink, UplinkLevels } from '../uplink/uplink.ts'

/** The parts that the HTTP surface shows and talks to. */
export interface HttpDeps {
  readonly spool: HeldImages
  readonly intake: Intake
  readonly uplink: { readonly levels: UplinkLevels, retryOf (entry: Entry): ReturnType<Uplink['retryOf']> }
  readonly limits: Pick<Limits, 'inForce' | 'orders' | 'capacity' | 'overhead' | 'timeZone' | 'set' | 'pause' | 'resume'>
  /** Bytes on the wire to the store since the start. */
  readonly sentBytes: () => number
  readonly store: Pick<ObjectStore, 'place' | 'get'>
  /** The same one that MQTT payloads are read under. */
  readonly budget: Pick<MemoryBudget, 'acquire'>
  readonly rates: Pick<Rates, 'read'>
  /** What was seen of single images lately. */
  readonly lives: Pick<Lives, 'startedAt' | 'find' | 'findByImageId'>
  readonly metrics: Exposition
  readonly slo: Pick<Slo, 'describe'>
  /** The users of the MQTT listeners, who are those of this side, too. */
  readonly identities: Identities
  readonly observe: Observe
  /** By the timetable; undefined where the allowance is the same at all times. */
  readonly allowanceAt?: PaceAt | undefined
  /** As it is configured now. */
  readonly scheduling?: () => SchedulerOptions
  readonly failedUnderOtherStore?: () => number
  /** True from the moment in which the process was told to stop. */
  readonly isStopping: () => boolean
}

export interface HttpOptions {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  /** An operator's; what holds without one is said in gate.ts. */
  readonly token: string | undefined
  /** Of the commands on this machine. */
  readonly localToken?: string | undefined
  readonly anonymous: Anonymous
  readonly version: string
  /** The longest request body, and so the largest image. */
  readonly bodyBytesMax: number
  /** slo.target. */
  readonly targetMs: number
  /** Where devices connect, for the page to show. */
  readonly mqtt: { readonly host: string, readonly port: number, readonly topicPrefix: string }
  readonly limits?: Partial<HttpLimits>
}

/** What one peer may cost. Times are ms. */
export interface HttpLimits {
  /** From the connection, or from the request before it, to the end of a request's head. */
  readonly headMsMax: number
  /** Between two pieces of a body. */
  readonly stallMsMax: number
  /** From the first to the last byte of a body: 8 MB at 1 Mbit/s is 64 s. */
  readonly bodyMsMax: number
  /** Until there is room in the memory budget. */
  readonly budgetMsMax: number
  /** Pictures being read back for somebody at a time; each is held in memory whole. */
  readonly contentReadsMax: number
  /** What still comes of a body that was answered early is read and thrown away for this long. */
  readonly lingerMsMax: number
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
  /** Who is logged in, all together; a further one has to show its proof with each request. */
  readonly loginsMax: number
  /** Of one user; a further one takes the place of its oldest. */
  readonly loginsPerUserMax: number
  /** What runs may finish for this long after `close`. */
  readonly closeMsMax: number
}

export const DEFAULT_LIMITS: HttpLimits = {
  headMsMax: 10_000,
  stallMsMax: 15_000,
  bodyMsMax: 120_000,
  budgetMsMax: 30_000,
  contentReadsMax: 16,
  lingerMsMax: 2000,
  connectionsMax: 2000,
  connectionsPerAddressMax: 1000,
  loginsMax: 10_000,
  loginsPerUserMax: 20,
  closeMsMax: 5000
}

/** What of the spool is shown and asked for. */
export type HeldImages = Pick<Spool,
  'ledger' | 'levels' | 'find' | 'findByImageId' | 'list' | 'payload' | 'retry' | 'prioritize' | 'drop' | 'backlog'>

/** Prometheus' text format. */
export interface Exposition {
  readonly contentType: string
  text (): Promise<string>
}
