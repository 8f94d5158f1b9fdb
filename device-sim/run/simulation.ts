import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DeviceOptions } from '../devices/device.ts'
import { follow, mintDeviceId, now, openFleet, type Fleet } from '../devices/fleet.ts'
import type { DeviceEvent } from '../devices/events.ts'
import { openLink, type NotOpened, type Trust } from '../devices/link.ts'
import { SimulatorError } from '../errors.ts'
import { LAG_MS_MAX, readFault, type Counts, type PhaseReport, type Progress, type Report } from '../report/report.ts'
import { expectedCaptures, phaseAt } from '../scenario/plan.ts'
import { deviceCount, type Scenario, type Target } from '../scenario/scenario.ts'
import { checkDescriptors } from './descriptors.ts'
import { openProcesses } from './processes.ts'
import { Samples } from './samples.ts'
import { Tally } from './tally.ts'

/** Whoever wants to follow a run; none of these may throw. */
export interface Watch {
  /** Before the first device connects; ms since epoch. Gives the files in which the processes note their images. */
  readonly begun?: (run: string, startedAt: number) => readonly string[]
  /** Once the captures begin; ms since epoch. */
  readonly started?: (startedAt: number, controls: Controls) => void
  /** Once a second while the run lasts. */
  readonly progress?: (progress: Progress) => void
  /** On everything that devices do, in its order. */
  readonly observe?: (event: DeviceEvent) => void
  /** How many objects are new in the store, as far as known. */
  readonly stored?: () => number | undefined
}

/** What can be turned while it runs. */
export interface Controls {
  /** More or fewer devices, by this factor. */
  resize (factor: number): void
  /** Ends the captures; the last PUBACKs are waited for. */
  finish (): void
}

const PROGRESS_MS = 1000
const SETTLE_MS = 20
const LEAD_MS_PER_DEVICE = 1
const LEAD_MS_MAX = 2000
/** How long the captures wait for the devices' first connections. */
const CONNECT_MS_MAX = 10_000

/**
 * Runs a fleet of devices against a broker and reports what it saw. In the open loop, what the broker
 * cannot take shows as latency, as images dropped at the device or as unfinished ones. An abort ends
 * the run early, with its report, and so does the end of a worker. Throws a SimulatorError where it cannot begin.
 */
export async function runSimulation (
  scenario: Scenario, watch: Watch = {}, signal: AbortSignal = new AbortController().signal
): Promise<Report> {
  checkDescriptors(Math.ceil(deviceCount(scenario) / scenario.workers))
  const target = await readTarget(scenario.target)
  await probe(scenario, target)
  const run = randomBytes(4).toString('hex')
  const linesPaths = watch.begun?.(run, now()) ?? []
  const tally = new Tally(scenario)
  const observe = (event: DeviceEvent): void => {
    tally.observe(event)
    watch.observe?.(event)
  }
  const open = scenario.workers > 1 ? openProcesses : openFleet
  const fleet = await open({ scenario, run, target, slice: { index: 0, of: 1 }, linesPaths }, observe)
  const stop = new AbortController()
  follow(signal, stop)
  follow(fleet.broken, stop)
  await awaitConnections(tally, scenario, stop.signal)
  const samples = new Samples()
  const span = await capture({ scenario, fleet, tally, samples, watch }, stop.signal)
  await fleet.close() // before the sums, or a late PUBACK is in one and not in another
  return summarise({ scenario, run, fleet, tally, samples, span, isInterrupted: signal.aborted })
}

async function readTarget ({ host, port, isTls, username, password, ca, cert, key }: Target): Promise<DeviceOptions['target']> {
  const read = async (flag: string, path: string | undefined): Promise<Buffer | undefined> => path === undefined
    ? undefined
    : await readFile(path).catch((cause: unknown) => {
      throw new SimulatorError('USAGE', `${flag}: ${path} cannot be read: ${String(cause)}`)
    })
  const trust: Trust = { ca: await read('ca', ca), cert: await read('cert', cert), key: await read('key', key) }
  return { host, port, username, password, tls: isTls ? trust : undefined }
}

// One connection first, so that a wrong address is one sentence and not a thousand.
async function probe ({ groups }: Scenario, target: DeviceOptions['target']): Promise<void> {
  const { prefix = 'sim-', start = 1 } = groups[0] ?? {}
  const clientId = mintDeviceId(prefix, start)
  const opening = await openLink({ ...target, clientId })
  if (opening.kind === 'failed') throw new SimulatorError('UNAVAILABLE', explain(opening, target, clientId))
  opening.link.close(false)
  await opening.link.closed
}

function explain ({ reason, isRefused }: NotOpened, { host, port }: DeviceOptions['target'], clientId: string): string {
  if (isRefused) return `the broker at ${host}:${port} refuses ${clientId}: ${reason}`
  const advice = /certificate/.test(reason) ? 'name the file that vouches for it with --ca' : 'start one, or say --host and --port'
  return `no MQTT broker answers at ${host}:${port} (${reason}); ${advice}`
}

async function awaitConnections (tally: Tally, scenario: Scenario, signal: AbortSignal): Promise<void> {
  const devices = deviceCount(scenario)
  const deadline = now() + devices / scenario.connectsPerSecond * 1000 + CONNECT_MS_MAX
  while (tally.connected < devices && now() < deadline && !signal.aborted) await sleep(SETTLE_MS)
}

interface Stage {
  readonly scenario: Scenario
  readonly fleet: Fleet
  readonly tally: Tally
  readonly samples: Samples
  readonly watch: Watch
}

/** When the captures began, when the last PUBACK was in or given up on, and how many captures were due. */
interface Span {
  readonly startedAt: number
  readonly endedAt: number
  readonly planned: number
}

// The captures, and then the wait for their PUBACKs.
async function capture (stage: Stage, signal: AbortSignal): Promise<Span> {
  const { scenario, fleet, tally, watch } = stage
  const startedAt = now() + leadMs(scenario)
  tally.start(startedAt)
  const finish = new AbortController()
  watch.started?.(startedAt, { resize: (factor) => { fleet.resize(factor) }, finish: () => { finish.abort() } })
  const ticking = setInterval(() => { tick(stage, startedAt) }, PROGRESS_MS)
  try {
    const missed = await fleet.capture(startedAt, { abort: signal, finish: finish.signal })
    const deadline = now() + scenario.drainMs
    while (tally.unfinished > 0 && now() < deadline && !signal.aborted) await sleep(SETTLE_MS)
    return { startedAt, endedAt: now(), planned: tally.captured + missed }
  } finally {
    clearInterval(ticking)
    tick(stage, startedAt)
  }
}

/** Time to make the first images in before any is due; a closed loop makes each as it is sent. */
function leadMs (scenario: Scenario): number {
  return scenario.model === 'open' ? Math.min(LEAD_MS_MAX, deviceCount(scenario) * LEAD_MS_PER_DEVICE) : 0
}

function tick ({ scenario, tally, samples, watch }: Stage, startedAt: number): void {
  const ms = Math.max(0, now() - startedAt)
  const { connected, reconnects, captured, unfinished } = tally
  const stored = watch.stored?.()
  const { p50, p99 } = tally.lately.percentiles
  tally.lately.reset()
  const [seconds, acknowledged] = [ms / 1000, tally.acknowledged.length]
  samples.add({ seconds, connected, captured, acknowledged, unfinished, stored, p50, p99 })
  const { groups, phases, limit, model } = scenario
  watch.progress?.({
    seconds,
    phase: phases[phaseAt(phases, ms)]?.name ?? '',
    devices: deviceCount(scenario),
    connected,
    reconnects,
    counts: readCounts(tally, model === 'closed' ? captured : expectedCaptures(groups, phases, limit)),
    stored,
    fromPlan: tally.fromPlan.percentiles,
    lag: tally.lag.percentiles
  })
}

function readCounts ({ captured, sent, acknowledged, dropped, unfinished }: Tally, planned: number): Counts {
  return { planned, captured, sent, acknowledged: acknowledged.length, dropped, unfinished }
}

interface Ended extends Pick<Stage, 'scenario' | 'fleet' | 'tally' | 'samples'> {
  readonly run: string
  readonly span: Span
  readonly isInterrupted: boolean
}

function summarise ({ scenario, run, fleet, tally, samples, span, isInterrupted }: Ended): Report {
  const { acknowledged, unacknowledged, acknowledgedBytes, drops, repeated } = tally
  const { reconnects, connectFailures, lastFailure } = tally
  const { startedAt, endedAt, planned } = span
  const seconds = Math.max(0, endedAt - startedAt) / 1000 // it may be interrupted before
  const lag = tally.lag.percentiles
  const { aborted: isBroken, reason } = fleet.broken
  const faults = isBroken ? [readFault(reason as SimulatorError)] : []
  return {
    run,
    scenario: scenario.name,
    target: `${scenario.target.host}:${scenario.target.port}`,
    model: scenario.model,
    devices: deviceCount(scenario),
    images: fleet.about,
    startedAt,
    seconds,
    isInterrupted,
    isValid: lag.p99 <= LAG_MS_MAX && faults.length === 0,
    faults,
    counts: readCounts(tally, planned),
    drops,
    repeated,
    acknowledgedBytes,
    imagesPerSecond: seconds === 0 ? 0 : acknowledged.length / seconds,
    fromPlan: tally.fromPlan.percentiles,
    fromSend: tally.fromSend.percentiles,
    lag,
    reconnects,
    connectFailures,
    lastFailure,
    phases: readPhases(scenario, tally, seconds),
    samples: samples.all,
    evidence: { run, startedAt, measuredFrom: startedAt + scenario.warmupMs, acknowledged, unacknowledged }
  }
}

function readPhases ({ phases }: Scenario, tally: Tally, secondsMax: number): readonly PhaseReport[] {
  let fromSeconds = 0
  return phases.map(({ name, forMs }, index) => {
    const { captured = 0, acknowledged = 0, fromPlan } = tally.phases[index] ?? {}
    const from = fromSeconds
    fromSeconds += forMs / 1000
    const seconds = Math.max(0, Math.min(forMs / 1000, secondsMax - from))
    return { name, fromSeconds: from, seconds, captured, acknowledged, fromPlan: fromPlan?.percentiles ?? NONE }
  })
}

const NONE = { count: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 }
