// What a site may want otherwise in the rules: which job, which objective, from where on something is wrong.

export interface RuleOptions {
  /** The job under which Prometheus scrapes Sluice; a regular expression. */
  readonly job: string
  /** Share of the images that shall be in time; undefined: what each process says of itself. */
  readonly objective: number | undefined
  /** Seconds that a minute of the rules lasts. Less than 60 is for a rehearsal that has no hours to spare. */
  readonly minuteSeconds: number
  /** Before the name of each runbook: a folder of the repository, or where its pages are served. */
  readonly runbooks: string
  readonly thresholds: Thresholds
}

export interface Thresholds {
  /** The oldest image has waited for so many minutes, and the backlog grows. */
  readonly backlogMinutes: number
  /** The spool is full in so many minutes. */
  readonly fullMinutes: number
  /** Of the limit of the spool. */
  readonly spoolRatio: number
  /** Of the puts that ended. */
  readonly uploadErrorRatio: number
  /** Of the images that came in. */
  readonly refusedRatio: number
  /** Of the connections there were in the last hour. */
  readonly connectedRatio: number
  /** Of the 99th percentile. */
  readonly pubackSeconds: number
  /** Of the 99th percentile. */
  readonly eventLoopSeconds: number
  /** Within half an hour. */
  readonly restarts: number
  /** Of the volume, below which its course is looked at. */
  readonly diskFreeRatio: number
}

export const defaults: RuleOptions = {
  job: 'sluice',
  objective: undefined,
  minuteSeconds: 60,
  runbooks: 'docs/runbooks',
  thresholds: {
    backlogMinutes: 1,
    fullMinutes: 240,
    spoolRatio: 0.8,
    uploadErrorRatio: 0.05,
    refusedRatio: 0.01,
    connectedRatio: 0.8,
    pubackSeconds: 1,
    eventLoopSeconds: 0.5,
    restarts: 2,
    diskFreeRatio: 0.4
  }
}

/** As PromQL writes a time: `5m`, `6h`, `3d`, and `90s` where a minute is none. */
export function span ({ minuteSeconds }: RuleOptions, minutes: number): string {
  if (minuteSeconds !== 60 || !Number.isInteger(minutes)) return `${Math.max(1, Math.round(minutes * minuteSeconds))}s`
  if (minutes % 1440 === 0) return `${minutes / 1440}d`
  return minutes % 60 === 0 ? `${minutes / 60}h` : `${minutes}m`
}

export function seconds ({ minuteSeconds }: RuleOptions, minutes: number): number {
  return minutes * minuteSeconds
}

/** A series of the job, with more matchers where there are some. */
export function select ({ job }: RuleOptions, name: string, ...matchers: readonly string[]): string {
  return `${name}{${[/^[\w-]+$/.test(job) ? `job="${job}"` : `job=~"${job}"`, ...matchers].join(',')}}`
}
