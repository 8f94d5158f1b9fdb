import { isIPv4 } from 'node:net'
import { parseDeviceId } from '../../broker/topics.ts'
import { SIZE_MAX, SIZE_MIN } from '../images/scenes.ts'
import { sizesOf } from './distribution.ts'
import { expectedCaptures } from './plan.ts'
import type { Problem } from './problems.ts'
import { deviceCount, formatDeviceNumber, type Group, type Scenario } from './scenario.ts'
import { DEVICES_MAX, IMAGES_MAX, type Given } from './schema.ts'

/** What is wrong with a scenario whose parts are each right. */
export function checkScenario (scenario: Scenario, given: Given): readonly Problem[] {
  return [
    ...checkTarget(scenario, given),
    ...checkLoad(scenario, given),
    ...scenario.groups.flatMap((group, index) => checkGroup(group, `devices[${index}]`)),
    ...checkIds(scenario.groups)
  ]
}

function checkTarget ({ target, allowRemote }: Scenario, given: Given): Problem[] {
  const { url, mqttVersion, qos, topicPrefix, cert, key } = given
  const problems: Problem[] = []
  if (!['3.1.1', '4'].includes(mqttVersion)) {
    problems.push({ path: 'mqttVersion', message: 'these devices speak MQTT 3.1.1 only; say -V 3.1.1 or leave it out' })
  }
  if (qos !== '1') {
    problems.push({ path: 'qos', message: 'these devices publish at QoS 1 only, because the PUBACK is what is judged' })
  }
  if (!/^[^+#\0/][^+#\0]*$/.test(topicPrefix)) {
    problems.push({ path: 'topicPrefix', message: 'wanted a topic without wildcards' })
  }
  if ((cert === undefined) !== (key === undefined)) {
    problems.push({ path: cert === undefined ? 'key' : 'cert', message: 'a client certificate needs both --cert and --key' })
  }
  if (!allowRemote && !isLoopback(target.host)) {
    problems.push({ path: url === undefined ? 'host' : 'url', message: remoteSentence(`the broker ${target.host}`) })
  }
  return problems
}

function checkLoad (scenario: Scenario, given: Given): Problem[] {
  const problems: Problem[] = []
  const { groups, phases, durationMs, model } = scenario
  if (given.phases !== undefined && given.duration !== undefined) {
    problems.push({ path: 'duration', message: 'the phases say how long it takes; leave one of the two out' })
  }
  if (durationMs <= 0) problems.push({ path: 'duration', message: 'wanted more than nothing, such as 60s' })
  if (durationMs === Infinity && given.limit === undefined) problems.push({ path: 'limit', message: 'wanted an end: a duration or a limit' })
  if (scenario.warmupMs > 0 && scenario.warmupMs >= durationMs) {
    problems.push({ path: 'warmup', message: `wanted less than the ${durationMs} ms of the run, or nothing is measured` })
  }
  if (phases.every(({ load }) => load === 0)) problems.push({ path: 'phases', message: 'wanted a load above 0 in one of them' })
  const expected = expectedCaptures(groups, phases, given.limit ?? Infinity)
  if (model === 'open' && expected > IMAGES_MAX && durationMs < Infinity) {
    const path = given.phases === undefined ? 'duration' : 'phases'
    problems.push({ path, message: `wanted at most ${IMAGES_MAX} images, which are kept in memory, and these are about ${expected}` })
  }
  const isPaced = given.devices.some(({ rate, interval }) => rate !== undefined || interval !== undefined)
  if (model === 'closed' && isPaced) {
    problems.push({ path: 'model', message: 'a closed loop sends as fast as it is answered; leave rate and interval out' })
  }
  if (given.connrate !== undefined && given.connectInterval !== undefined) {
    problems.push({ path: 'connectInterval', message: 'the same as connrate in other words; leave one of the two out' })
  }
  if (deviceCount(scenario) > DEVICES_MAX) {
    problems.push({ path: 'devices', message: `wanted at most ${DEVICES_MAX} devices in all groups` })
  }
  given.devices.forEach(({ rate, interval }, index) => {
    if (rate === undefined || interval === undefined) return
    problems.push({ path: `devices[${index}].interval`, message: 'the same as rate in other words; leave one of the two out' })
  })
  return problems
}

function checkGroup ({ prefix, size, images, backoff }: Group, path: string): Problem[] {
  const problems: Problem[] = []
  if (parseDeviceId(formatDeviceNumber(prefix, DEVICES_MAX)) === undefined) {
    problems.push({ path: `${path}.prefix`, message: 'device ids have up to 64 of A-Z a-z 0-9 . _ ~ -' })
  }
  const wrong = images === undefined ? sizesOf(size).find((bytes) => bytes < SIZE_MIN || bytes > SIZE_MAX) : undefined
  if (wrong !== undefined) {
    const message = `generated images have ${SIZE_MIN} to ${SIZE_MAX} bytes, and one would have ${wrong}; for others use --images`
    problems.push({ path: `${path}.size`, message })
  }
  if (backoff.first > backoff.max) {
    problems.push({ path: `${path}.backoff.first`, message: `wanted no more than the longest, which is ${backoff.max} ms` })
  }
  return problems
}

/** Two devices of one id would throw each other out. */
function checkIds (groups: readonly Group[]): Problem[] {
  return groups.flatMap((group, index) => {
    const twin = groups.slice(0, index).find((other) => other.prefix === group.prefix &&
      other.start < group.start + group.count && group.start < other.start + other.count)
    if (twin === undefined) return []
    return [{ path: `devices[${index}].prefix`, message: `${group.name} and ${twin.name} would share device ids; give each its own prefix` }]
  })
}

export function isLoopback (host: string): boolean {
  return ['localhost', '::1', '[::1]'].includes(host) || (isIPv4(host) && host.startsWith('127.'))
}

export function remoteSentence (target: string): string {
  return `${target} is not on this machine, and a load test hits whoever runs there; say --allow-remote if you mean it`
}
