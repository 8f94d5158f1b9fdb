import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseDeviceId, type DeviceId } from '../../broker/topics.ts'
import { SimulatorError } from '../errors.ts'
import { openImages } from '../images/open-images.ts'
import type { ImageSource } from '../images/image-source.ts'
import { createRandom } from '../random.ts'
import { arrivals, createWarp } from '../scenario/plan.ts'
import { formatDeviceNumber, type Group, type Scenario } from '../scenario/scenario.ts'
import { Schedule } from '../scenario/schedule.ts'
import { sleepUntil } from '../sleep-until.ts'
import { Device, type DeviceDeps, type DeviceOptions } from './device.ts'
import type { Observe } from './events.ts'
import { ImageLines } from './image-lines.ts'
import { sufferAll } from './mishaps.ts'

export interface FleetOptions {
  readonly scenario: Scenario
  readonly run: string
  readonly target: DeviceOptions['target']
  /** Of all devices every `of`th belongs to this fleet, from `index` on. */
  readonly slice: { readonly index: number, readonly of: number }
  /** Where each slice notes its images; empty where nobody wants to read it. */
  readonly linesPaths: readonly string[]
}

/** What ends the captures before the plan does. */
export interface Until {
  /** Everything ends at once. */
  readonly abort: AbortSignal
  /** Only the captures end; what was captured is still sent. */
  readonly finish: AbortSignal
}

/** Devices that run side by side, here or in other processes. */
export interface Fleet {
  /** For people: what the images are. */
  readonly about: string
  /** Aborted, with a SimulatorError as its reason, where devices are gone that nobody sent away. */
  readonly broken: AbortSignal
  /** Takes pictures from `startedAt` (ms since epoch) to the end of the plan; gives how many due ones it missed. */
  capture (startedAt: number, until: Until): Promise<number>
  /** More or fewer devices from now on, by this factor. */
  resize (factor: number): void
  /** Ends all connections. */
  close (): Promise<void>
}

// Wall-clock time that never goes back.
export function now (): number {
  return performance.timeOrigin + performance.now()
}

interface Member {
  readonly device: Device
  readonly group: Group
  readonly seed: number
}

const LAG_SAMPLE_MS = 20

/** Makes the images and begins to connect; resolves before all devices are connected. */
export async function openFleet (options: FleetOptions, observe: Observe): Promise<Fleet> {
  const sources = await Promise.all(options.scenario.groups.map((group, index) =>
    openImages(group, options.scenario.seed + index)))
  return new LocalFleet(options, sources, observe)
}

class LocalFleet implements Fleet {
  readonly about: string
  readonly broken = new AbortController().signal // it is this process, and would end with it
  readonly #options: FleetOptions
  readonly #sources: readonly ImageSource[]
  readonly #lines: ImageLines | undefined
  readonly #observe: Observe
  readonly #schedule: Schedule
  readonly #members: Member[] = []
  readonly #finish = new AbortController()
  readonly #stop = new AbortController()
  readonly #running: Array<Promise<void>> = []
  #closedLeft: number
  #startedAt = Infinity
  /** Of #members; those behind have left. */
  #active: number

  constructor (options: FleetOptions, sources: readonly ImageSource[], observe: Observe) {
    this.#options = options
    this.#sources = sources
    const path = options.linesPaths[options.slice.index]
    this.#lines = path === undefined ? undefined : new ImageLines(path)
    this.#observe = (event) => {
      this.#lines?.observe(event) // first of all: whoever else is told may be in another process
      observe(event)
    }
    this.about = [...new Set(sources.map(({ about }) => about))].join('; ')
    setMaxListeners(0, this.#stop.signal) // each device and each of its pauses listens
    const { scenario: { groups, durationMs, limit }, slice: { index, of } } = options
    const ownLimit = limit === Infinity ? Infinity : Math.floor(limit / of) + (index < limit % of ? 1 : 0)
    this.#closedLeft = ownLimit
    this.#schedule = new Schedule({ durationMs, limit: ownLimit, now })
    let number = 0
    groups.forEach((group, at) => {
      for (let n = 0; n < group.count; n++) if (number++ % of === index) this.#join(group, at, group.start + n)
    })
    this.#active = this.#members.length
    this.#running.push(this.#connectAll())
  }

  async capture (startedAt: number, { abort, finish }: Until): Promise<number> {
    const { scenario } = this.#options
    this.#startedAt = startedAt
    follow(finish, this.#finish)
    follow(abort, this.#finish)
    follow(abort, this.#stop)
    // They go on while the last images are waited for, and end with the fleet.
    this.#running.push(sufferAll(this.#members.slice(), { scenario, startedAt, now }, this.#stop.signal))
    if (scenario.model === 'closed') {
      await this.#captureClosed()
      return 0
    }
    await this.#captureOpen()
    return this.#schedule.countMissed()
  }

  resize (factor: number): void {
    const wanted = Math.max(1, Math.round(this.#active * factor))
    for (; this.#active > wanted; this.#active--) {
      this.#members[this.#active - 1]?.device.retire()
      this.#schedule.remove(this.#active - 1)
    }
    const { scenario: { groups }, slice: { index, of } } = this.#options
    const group = groups.at(-1)
    if (group === undefined) return
    for (; this.#active < wanted; this.#active++) {
      // Those that have left do not come back: their ids may still be connected.
      const number = group.start + group.count + index + of * this.#members.length
      const member = this.#join(group, groups.length - 1, number)
      this.#running.push(member.device.run(this.#stop.signal))
      if (this.#startedAt !== Infinity) this.#plan(member, this.#members.length - 1, now() - this.#startedAt)
    }
  }

  async close (): Promise<void> {
    this.#finish.abort()
    this.#stop.abort()
    await Promise.all(this.#running)
    this.#lines?.close()
  }

  async #captureOpen (): Promise<void> {
    this.#members.forEach((member, index) => { this.#plan(member, index, 0) })
    await this.#schedule.run(this.#startedAt, {
      prepare: (index, plannedAt) => this.#members[index]?.device.prepare(plannedAt),
      capture: (index, plannedAt) => this.#members[index]?.device.capture(plannedAt)
    }, this.#finish.signal)
  }

  async #captureClosed (): Promise<void> {
    const { signal } = this.#finish
    const end = this.#startedAt + this.#options.scenario.durationMs
    for (const { device } of this.#members) device.begin()
    while (!signal.aborted && now() < end && this.#closedLeft > 0) {
      const dueAt = now() + LAG_SAMPLE_MS
      await sleep(LAG_SAMPLE_MS, undefined, { signal }).catch(() => {}) // aborted: the loop ends
      this.#observe({ kind: 'lagged', lagMs: Math.max(0, now() - dueAt) })
    }
    this.#closedLeft = 0
  }

  #plan ({ group, seed }: Member, index: number, fromMs: number): void {
    const warp = createWarp(this.#options.scenario.phases)
    this.#schedule.add(index, timesFrom(fromMs, arrivals(group, createRandom(seed)), warp))
  }

  #join (group: Group, at: number, number: number): Member {
    const { scenario: { seed: runSeed, model }, run, target } = this.#options
    const source = this.#sources[at]
    if (source === undefined) throw new Error('a group without images')
    const index = this.#members.length * this.#options.slice.of + this.#options.slice.index
    const seed = createRandom(runSeed + index)() * 2 ** 32
    const clockErrorMs = (createRandom(seed + 1)() * 2 - 1) * group.clockError
    const deps: DeviceDeps = {
      source, observe: this.#observe, now, ...(model === 'closed' && { take: () => this.#takeOne() })
    }
    const id = mintDeviceId(group.prefix, number)
    const member = { device: new Device(deps, { id, index, number, run, group, target, clockErrorMs }), group, seed }
    this.#members.push(member)
    return member
  }

  #takeOne (): boolean {
    if (this.#startedAt > now() || this.#closedLeft <= 0) return false
    this.#closedLeft--
    return true
  }

  async #connectAll (): Promise<void> {
    const { scenario: { connectsPerSecond }, slice: { of } } = this.#options
    const startedAt = now()
    const { signal } = this.#stop
    for (const [index, { device }] of [...this.#members].entries()) {
      await sleepUntil(startedAt + index * of * 1000 / connectsPerSecond, now, signal)
      if (signal.aborted) break
      this.#running.push(device.run(signal))
    }
  }
}

/** Aborts with another's abort. */
export function follow (signal: AbortSignal, controller: AbortController): void {
  if (signal.aborted) controller.abort()
  else signal.addEventListener('abort', () => { controller.abort() }, { once: true })
}

function * timesFrom (fromMs: number, plan: Iterable<number>, warp: (loadMs: number) => number): Generator<number> {
  for (const loadMs of plan) {
    const at = warp(loadMs)
    if (at >= fromMs) yield at
  }
}

export function mintDeviceId (prefix: string, number: number): DeviceId {
  const id = parseDeviceId(formatDeviceNumber(prefix, number))
  if (id === undefined) throw new SimulatorError('USAGE', `prefix: "${prefix}" makes no device id`)
  return id
}
