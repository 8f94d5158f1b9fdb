// What goes wrong with devices while they take pictures, by the scenario's plan and its seed.

import { createRandom } from '../random.ts'
import type { Group, Scenario } from '../scenario/scenario.ts'
import { sleepUntil } from '../sleep-until.ts'
import type { Device, Mishap } from './device.ts'

export interface Sufferer {
  readonly device: Device
  readonly group: Group
  readonly seed: number
}

export interface Course {
  readonly scenario: Pick<Scenario, 'stormMs'>
  readonly startedAt: number
  readonly now: () => number
}

const MIX = ['clean', 'abrupt', 'half-open', 'mid-publish', 'power'] as const

/** Resolves when nothing more will happen, or aborted. */
export async function sufferAll (members: readonly Sufferer[], course: Course, signal: AbortSignal): Promise<void> {
  const { scenario: { stormMs } } = course
  const storm = async (): Promise<void> => {
    if (stormMs === undefined || await waitUntil(course.startedAt + stormMs, course, signal)) return
    for (const { device } of members) device.suffer('abrupt', 0)
  }
  await Promise.all([
    storm(),
    ...members.filter(({ group: { flap } }) => flap !== undefined).map((each) => flapOn(each, course, signal)),
    ...members.filter(({ group: { offline } }) => offline !== undefined).map((each) => goOffline(each, course, signal))
  ])
}

async function flapOn (
  { device, group: { flap }, seed }: Sufferer, course: Course, signal: AbortSignal
): Promise<void> {
  if (flap === undefined) return
  const random = createRandom(seed + 2)
  let at = course.startedAt
  while (!signal.aborted) {
    at += -Math.log(1 - random()) * flap.every // independent of all others
    if (await waitUntil(at, course, signal)) return
    const mishap: Mishap = flap.how === 'mix' ? MIX[Math.floor(random() * MIX.length)] ?? 'abrupt' : flap.how
    device.suffer(mishap, flap.for)
  }
}

async function goOffline (
  { device, group: { offline }, seed }: Sufferer, course: Course, signal: AbortSignal
): Promise<void> {
  if (offline === undefined || createRandom(seed + 3)() >= offline.share) return
  if (await waitUntil(course.startedAt + offline.at, course, signal)) return
  device.suffer('abrupt', offline.for)
}

/** True where it was aborted first. */
async function waitUntil (at: number, { now }: Course, signal: AbortSignal): Promise<boolean> {
  await sleepUntil(at, now, signal)
  return signal.aborted
}
