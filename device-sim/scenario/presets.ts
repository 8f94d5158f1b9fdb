// Scenarios by name. `presets NAME` prints one as YAML, to start one's own from.

import type { Tree } from './tree.ts'

/** Undefined where there is none of this name. */
export function findPreset (name: string): Tree | undefined {
  return Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined
}

export const PRESETS: Readonly<Record<string, Tree>> = {
  smoke: {
    about: 'five devices for ten seconds: does anything work at all?',
    devices: { count: 5, rate: '1/s', size: '30KB' },
    duration: '10s',
    thresholds: ['dropped==0', 'unfinished==0']
  },
  steady: {
    about: 'a hundred devices at an even pace, for five minutes',
    devices: { count: 100, rate: '2/min', size: 'normal(250KB,40KB)' },
    duration: '5m',
    warmup: '30s',
    thresholds: ['puback_p99<1s', 'dropped==0']
  },
  site: {
    about: '1,000 devices, 2 images of 250 kB a minute each, under a line of 40 Mbit/s: more than it carries',
    devices: { count: 1000, rate: '2/min', size: '250KB' },
    duration: '10m',
    warmup: '30s',
    uplink: { rate: '40Mbit', latency: '20ms' },
    thresholds: ['puback_p99<1s', 'dropped==0']
  },
  burst: {
    about: 'five times the usual load for a minute, and what comes after',
    devices: { count: 200, rate: '6/min', size: '100KB', arrival: 'poisson' },
    phases: [{ name: 'calm', for: '1m' }, { name: 'burst', for: '1m', load: 5 }, { name: 'after', for: '2m' }],
    thresholds: ['dropped==0', 'unfinished==0']
  },
  flapping: {
    about: 'connections that end in every way there is, about once a minute each',
    devices: { count: 200, rate: '6/min', size: '100KB', flap: { every: '60s', for: '2s', how: 'mix' } },
    duration: '3m',
    thresholds: ['dropped==0', 'unfinished==0']
  },
  outage: {
    about: 'the store is gone for a minute, and its line is thin',
    devices: { count: 100, rate: '12/min', size: '100KB' },
    phases: [{ name: 'before', for: '30s' }, { name: 'outage', for: '60s' }, { name: 'after', for: '60s' }],
    uplink: { rate: '40Mbit', events: [{ at: '30s', for: '60s', outage: true }] },
    thresholds: ['puback_p99<1s', 'dropped==0']
  },
  'reconnect-storm': {
    about: '1,000 devices are cut off at once, and all come back at once',
    devices: { count: 1000, rate: '2/min', size: '50KB' },
    phases: [{ name: 'before', for: '60s' }, { name: 'after', for: '60s' }],
    reconnectStorm: '60s',
    thresholds: ['dropped==0', 'unfinished==0']
  },
  'synchronised-shutters': {
    about: '500 devices that all take their picture in the same second',
    devices: { count: 500, rate: '2/min', size: '100KB', arrival: 'synchronized', jitter: '1.6%' },
    duration: '3m',
    thresholds: ['puback_p99<5s', 'dropped==0', 'unfinished==0']
  },
  soak: {
    about: 'a whole day of an ordinary site, with the mishaps of an ordinary day',
    devices: { count: 1000, rate: '2/min', size: 'normal(100KB,20KB)', flap: { every: '2h', for: '30s' } },
    duration: '24h',
    warmup: '1m',
    thresholds: ['puback_p99<1s', 'dropped==0']
  },
  poison: {
    about: 'images that are none, images too large for anybody, and images sent twice, among good ones',
    devices: {
      count: 50,
      rate: '12/min',
      size: '100KB',
      arrival: 'poisson',
      format: 'mix:raw=80,json=20',
      duplicateEvery: 5,
      corruptEvery: 10,
      oversizeEvery: 20
    },
    duration: '2m',
    drainTimeout: '60s',
    thresholds: ['unfinished==0']
  }
}
