// A scenario: who sends what to where, through which phases and mishaps, and what must hold at the end.
// Flags say the same things as a file and are laid over it (tree.ts), so this is the only list of both.

import * as z from 'zod'
import {
  brokerUrl, connectRate, duration, every, factor, format, interval, messageInterval, rate, share, size, sizes, span,
  speed, threshold, topicPattern, whole
} from './kinds.ts'

export const DEVICES_MAX = 20_000
/** A run keeps name and hash of each image, 300 bytes, and the judge what the store says of it, 550 more: 2.5 GB. */
export const IMAGES_MAX = 3_000_000
const EVERY_MAX = 1_000_000

const flap = z.strictObject({
  /** How often each device goes down, on average. */
  every,
  /** For how long. */
  for: duration.default(1000),
  how: z.enum(['clean', 'abrupt', 'half-open', 'mid-publish', 'power', 'mix']).default('mix')
})

const offline = z.strictObject({
  /** Of the devices. */
  share,
  at: duration.default(0),
  for: duration.default(Infinity)
})

const backoff = z.strictObject({ first: duration.default(500), max: duration.default(30_000) })

const group = z.strictObject({
  name: z.string().default('devices'),
  count: whole(1, DEVICES_MAX).default(100),
  /** The number of the first device. */
  start: whole(0, 1_000_000).default(1),
  prefix: z.string().default('sim-'),
  /** Images of each device a second. */
  rate: rate.optional(),
  /** The same as a time between two. */
  interval: messageInterval.optional(),
  arrival: z.enum(['uniform', 'poisson', 'periodic', 'synchronized']).default('periodic'),
  /** Of the interval, to either side; for periodic and synchronized. */
  jitter: share.default(0.05),
  size: sizes.default({ kind: 'fixed', bytes: 250_000 }),
  /** A folder of photos to send instead. */
  images: z.string().optional(),
  format: format.default(0),
  topic: topicPattern.optional(),
  /** Whether the topic names the image, where no topic is given. */
  ids: z.boolean().default(true),
  /** PUBLISHes without PUBACK at one time. */
  inflight: whole(1, 65_535).default(4),
  /** Captures that wait behind those. */
  queue: whole(1, 100_000).default(16),
  onFull: z.enum(['drop-oldest', 'drop-newest']).default('drop-oldest'),
  /** Every so many images of a device are sent twice, are no image, or are too large for anybody. */
  duplicateEvery: whole(1, EVERY_MAX).optional(),
  corruptEvery: whole(1, EVERY_MAX).optional(),
  oversizeEvery: whole(1, EVERY_MAX).optional(),
  oversizeBytes: size.default(9_000_000),
  offline: offline.optional(),
  flap: flap.optional(),
  /** What the waiting images are after a loss of power. */
  power: z.enum(['keeps', 'forgets']).default('keeps'),
  /** Clocks are wrong by up to this, each by its own. */
  clockError: duration.default(0),
  /** Resend in the same session, with DUP and the old packet identifier. */
  dup: z.boolean().default(false),
  backoff: backoff.default({ first: 500, max: 30_000 }),
  linkRate: speed.default(Infinity),
  linkLatency: duration.default(0)
})

const knobs = z.strictObject({
  rate: speed.optional(),
  latency: duration.optional(),
  errors: share.optional(),
  outage: z.boolean().optional()
})

const uplink = knobs.extend({
  /** An event in short. */
  outage: span.optional(),
  events: z.array(knobs.extend({ at: duration, for: duration })).default([])
})

const phase = z.strictObject({
  name: z.string(),
  for: duration,
  /** Times the rate of every device; 0 is silence. */
  load: factor.default(1)
})

const many = <T extends z.ZodType>(one: T) =>
  z.preprocess((value) => Array.isArray(value) ? value : [value ?? {}], z.array(one).min(1, 'wanted at least one group'))

export const scenarioSchema = z.strictObject({
  name: z.string().default('run'),
  about: z.string().default(''),
  url: brokerUrl.optional(),
  host: z.string().default('127.0.0.1'),
  port: whole(1, 65_535).optional(),
  mqttVersion: z.coerce.string().default('3.1.1'),
  qos: z.coerce.string().default('1'),
  username: z.coerce.string().optional(),
  password: z.coerce.string().optional(),
  ca: z.string().optional(),
  cert: z.string().optional(),
  key: z.string().optional(),
  topicPrefix: z.string().default('devices'),
  allowRemote: z.boolean().default(false),
  devices: many(group),
  phases: z.array(phase).min(1, 'wanted at least one phase').optional(),
  duration: duration.optional(),
  /** Images of all devices together. */
  limit: whole(1, IMAGES_MAX).optional(),
  warmup: duration.default(0),
  drainTimeout: duration.default(30_000),
  model: z.enum(['open', 'closed']).default('open'),
  /** Connections opened a second at the start. */
  connrate: connectRate.optional(),
  connectInterval: interval.optional(),
  /** When all devices are cut, and come back at once. */
  reconnectStorm: duration.optional(),
  seed: whole(0, 2 ** 32 - 1).default(1),
  workers: whole(1, 64).default(1),
  uplink: uplink.optional(),
  thresholds: z.array(threshold).default([])
})

export type Given = z.output<typeof scenarioSchema>
export type Issue = z.core.$ZodIssue
export type Knobs = z.output<typeof knobs>
