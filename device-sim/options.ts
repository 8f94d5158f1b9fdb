import { isIPv4 } from 'node:net'
import { parseDeviceId } from '../broker/topics.ts'
import { SIZE_MAX, SIZE_MIN } from './scenes.ts'

/** A whole run, in base units. */
export interface SimulationOptions {
  readonly host: string
  readonly port: number
  readonly devices: number
  /** Captures are planned within this time. */
  readonly durationMs: number
  /** Images of all devices together. */
  readonly limit: number
  /** Images each device takes a second. */
  readonly ratePerSecond: number
  /** Of a generated image, in bytes. */
  readonly size: number
  /** A directory of photos to send instead. */
  readonly images: string | undefined
  /** Of the devices' ids; a number of four digits or more follows. */
  readonly prefix: string
  readonly topicPrefix: string
  /** Whether images have names, in the topic. */
  readonly ids: boolean
  readonly format: 'raw' | 'json'
  /** PUBLISHes without PUBACK at one time, for each device. */
  readonly inflight: number
  /** Captures that wait behind those, for each device; the oldest is dropped. */
  readonly deviceQueue: number
  readonly seed: number
  /** Connections opened a second at the start. */
  readonly rampPerSecond: number
  /** How long to wait for PUBACKs after the last capture. */
  readonly drainMs: number
  readonly allowRemote: boolean
}

export const DEFAULTS: SimulationOptions = {
  host: '127.0.0.1',
  port: 1883,
  devices: 100,
  durationMs: 60_000,
  limit: Infinity,
  ratePerSecond: 2 / 60,
  size: 250_000,
  images: undefined,
  prefix: 'sim-',
  topicPrefix: 'devices',
  ids: true,
  format: 'raw',
  inflight: 4,
  deviceQueue: 16,
  seed: 1,
  rampPerSecond: 500,
  drainMs: 30_000,
  allowRemote: false
}

const DEVICES_MAX = 20_000

/** Everything that is wrong with the options, a sentence each. */
export function listProblems (options: SimulationOptions): readonly string[] {
  const { host, devices, durationMs, limit, size, images, prefix, topicPrefix } = options
  const problems: string[] = []
  const demand = (holds: boolean, sentence: string): void => { if (!holds) problems.push(sentence) }
  const whole = (name: string, value: number, [low, high]: readonly [number, number]): void =>
    demand(Number.isInteger(value) && value >= low && value <= high,
      `${name}: wanted a whole number of ${low} to ${high}, got ${value}`)
  whole('port', options.port, [1, 65535])
  whole('devices', devices, [1, DEVICES_MAX])
  whole('inflight', options.inflight, [1, 65535])
  whole('device-queue', options.deviceQueue, [1, 100_000])
  whole('seed', options.seed, [0, 2 ** 32 - 1])
  demand(durationMs > 0 && (durationMs < Infinity || limit < Infinity),
    'duration: wanted more than nothing, such as 60s')
  demand(limit > 0, `limit: wanted at least one image, got ${limit}`)
  demand(options.ratePerSecond > 0, 'rate: wanted more than nothing, such as 2/min')
  demand(options.rampPerSecond > 0, 'ramp: wanted more than nothing, such as 500/s')
  demand(images !== undefined || (size >= SIZE_MIN && size <= SIZE_MAX),
    `size: generated images have ${SIZE_MIN} to ${SIZE_MAX} bytes, got ${size}; for others use --images`)
  demand(parseDeviceId(formatDeviceNumber(prefix, DEVICES_MAX)) !== undefined,
    `prefix: device ids have up to 64 of A-Z a-z 0-9 . _ ~ -, got "${prefix}"`)
  demand(/^[^+#\0/][^+#\0]*$/.test(topicPrefix),
    `topic-prefix: wanted a topic without wildcards, got "${topicPrefix}"`)
  demand(options.allowRemote || isLoopback(host), remoteSentence(`the broker ${host}`))
  return problems
}

/** `sim-0001`, `sim-0002`; more digits where it takes them. */
export function formatDeviceNumber (prefix: string, number: number): string {
  return prefix + String(number).padStart(4, '0')
}

export function isLoopback (host: string): boolean {
  return ['localhost', '::1', '[::1]'].includes(host) || (isIPv4(host) && host.startsWith('127.'))
}

export function remoteSentence (target: string): string {
  return `${target} is not on this machine, and a load test hits whoever runs there; ` +
    'say --allow-remote if you mean it'
}
