import { randomBytes } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseDeviceId, type DeviceId } from '../broker/topics.ts'
import { Device } from './device.ts'
import { SimulatorError } from './errors.ts'
import type { Acknowledged, Observe } from './events.ts'
import type { ImageSource } from './image-source.ts'
import { openLink } from './link.ts'
import { DEFAULTS, formatDeviceNumber, listProblems, type SimulationOptions } from './options.ts'
import { readPhotos } from './photos.ts'
import { countPlanned, createPlans, type PlanOptions } from './plan.ts'
import { LAG_MS_MAX, type Counts, type Progress, type Report } from './report.ts'
import { paintScenes } from './scenes.ts'
import { runSchedule } from './schedule.ts'
import { Tally } from './tally.ts'

/** Whoever wants to follow a run; neither may throw. */
export interface Watch {
  /** Once a second while the run lasts. */
  readonly progress?: (progress: Progress) => void
  /** On every PUBACK. */
  readonly acknowledged?: (image: Acknowledged) => void
}

const PROGRESS_MS = 1000
const SETTLE_MS = 20
/** How long the captures wait for the devices' first connections. */
const CONNECT_MS_MAX = 10_000

/**
 * Runs a fleet of devices against a broker and reports what it saw: open loop, so that what the broker
 * cannot take shows as latency, as images dropped at the device or as unfinished ones. An abort ends
 * the run early, with its report. Throws a SimulatorError for wrong options and where no broker answers.
 */
export async function runSimulation (
  chosen: Partial<SimulationOptions> & Watch = {}, signal: AbortSignal = new AbortController().signal
): Promise<Report> {
  const options = { ...DEFAULTS, ...chosen }
  const problems = listProblems(options)
  if (problems.length > 0) throw new SimulatorError('USAGE', problems.join('\n'))
  const ids = Array.from({ length: options.devices }, (_, index) => mintDeviceId(options.prefix, index + 1))
  await probe(options, ids)
  const source = options.images === undefined ? await paintScenes(options) : await readPhotos(options.images)

  const tally = new Tally()
  const observe: Observe = (event) => {
    tally.observe(event)
    if (event.kind === 'acknowledged') options.acknowledged?.(event.image)
  }
  const run = randomBytes(4).toString('hex')
  const devices = ids.map((id, index) => new Device({ source, observe, now },
    { ...options, id, index, run, queue: options.deviceQueue }))
  const stop = new AbortController()
  setMaxListeners(0, stop.signal) // each device and each of its pauses listens
  const running = runDevices(devices, options, stop.signal)
  await awaitConnections(tally, options, signal)
  const span = await capture({ devices, tally }, options, signal)
  stop.abort()
  await running // before the sums, or a late PUBACK is in one and not in another
  return summarise({ run, ids, source, tally, span, isInterrupted: signal.aborted })
}

// Wall-clock time that never goes back.
function now (): number {
  return performance.timeOrigin + performance.now()
}

function mintDeviceId (prefix: string, number: number): DeviceId {
  const id = parseDeviceId(formatDeviceNumber(prefix, number))
  if (id === undefined) throw new SimulatorError('USAGE', `prefix: "${prefix}" makes no device id`)
  return id
}

// One connection first, so that a wrong address is one sentence and not a thousand.
async function probe ({ host, port }: SimulationOptions, [first]: readonly DeviceId[]): Promise<void> {
  const opening = await openLink({ host, port, clientId: first ?? 'sim' })
  switch (opening.kind) {
    case 'open':
      opening.link.close(false)
      await opening.link.closed
      return
    case 'failed':
      throw new SimulatorError('UNAVAILABLE',
        `no MQTT broker answers at ${host}:${port} (${opening.reason}); start one, or say --host and --port`)
  }
}

async function runDevices (
  devices: readonly Device[], { rampPerSecond }: SimulationOptions, signal: AbortSignal
): Promise<void> {
  const running: Promise<void>[] = []
  const startedAt = now()
  for (const [index, device] of devices.entries()) {
    const waitMs = startedAt + index * 1000 / rampPerSecond - now()
    if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => {}) // aborted: the loop ends
    if (signal.aborted) break
    running.push(device.run(signal))
  }
  await Promise.all(running)
}

async function awaitConnections (
  tally: Tally, { devices, rampPerSecond }: SimulationOptions, signal: AbortSignal
): Promise<void> {
  const deadline = now() + devices / rampPerSecond * 1000 + CONNECT_MS_MAX
  while (tally.connected < devices && now() < deadline && !signal.aborted) await sleep(SETTLE_MS)
}

interface Fleet {
  readonly devices: readonly Device[]
  readonly tally: Tally
}

/** When the captures began, when the last PUBACK was in or given up on, and how many captures were due. */
interface Span {
  readonly startedAt: number
  readonly endedAt: number
  readonly planned: number
}

// The captures, and then the wait for their PUBACKs.
async function capture (
  { devices, tally }: Fleet, options: SimulationOptions & Watch, signal: AbortSignal
): Promise<Span> {
  const plan: PlanOptions = { ...options, intervalMs: 1000 / options.ratePerSecond }
  const planned = countPlanned(plan)
  const startedAt = now()
  const ticking = setInterval(() => {
    options.progress?.({
      seconds: (now() - startedAt) / 1000,
      connected: tally.connected,
      reconnects: tally.reconnects,
      counts: readCounts(tally, planned),
      fromPlan: tally.fromPlan.percentiles,
      lag: tally.lag.percentiles
    })
  }, PROGRESS_MS)
  try {
    await runSchedule({ ...plan, plans: createPlans(plan), startedAt, now },
      (device, plannedAt) => devices[device]?.capture(plannedAt), signal)
    const deadline = now() + options.drainMs
    while (tally.unfinished > 0 && now() < deadline && !signal.aborted) await sleep(SETTLE_MS)
  } finally {
    clearInterval(ticking)
  }
  return { startedAt, endedAt: now(), planned }
}

function readCounts ({ captured, sent, acknowledged, dropped, unfinished }: Tally, planned: number): Counts {
  return { planned, captured, sent, acknowledged: acknowledged.length, dropped, unfinished }
}

interface Ended {
  readonly run: string
  readonly ids: readonly DeviceId[]
  readonly source: ImageSource
  readonly tally: Tally
  readonly span: Span
  readonly isInterrupted: boolean
}

function summarise ({ run, ids, source, tally, span, isInterrupted }: Ended): Report {
  const { acknowledged, unacknowledged, acknowledgedBytes, reconnects, connectFailures, lastFailure } = tally
  const { startedAt, endedAt, planned } = span
  const seconds = (endedAt - startedAt) / 1000
  const lag = tally.lag.percentiles
  return {
    run,
    devices: ids.length,
    images: source.about,
    startedAt,
    seconds,
    isInterrupted,
    isValid: lag.p99 <= LAG_MS_MAX,
    counts: readCounts(tally, planned),
    acknowledgedBytes,
    imagesPerSecond: seconds === 0 ? 0 : acknowledged.length / seconds,
    fromPlan: tally.fromPlan.percentiles,
    fromSend: tally.fromSend.percentiles,
    lag,
    reconnects,
    connectFailures,
    lastFailure,
    evidence: { run, devices: new Set(ids), startedAt, acknowledged, unacknowledged }
  }
}
