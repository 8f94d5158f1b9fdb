// Every flag of a scenario, and the place in it that the flag fills. What stands behind a flag is read by the
// scenario's own schema, so that a flag and a file are refused in the same words.

import type { Tree } from '../scenario/tree.ts'

export interface ScenarioFlag {
  readonly flags: string
  /** Such as `devices.count`. */
  readonly path: string
  readonly help: string
  readonly group: 'Target' | 'Devices' | 'Load' | 'Images' | 'Mishaps' | 'Store' | 'Outcome'
  /** How its text becomes what a file would say. */
  readonly read?: (value: unknown) => unknown
  readonly isHidden?: true
  /** Each time it is given adds one to a list. */
  readonly isRepeated?: true
}

const fields = (main: string) => (value: unknown): Tree => readFields(String(value), main)

export const SCENARIO_FLAGS: readonly ScenarioFlag[] = [
  { group: 'Target', flags: '-h, --host <host>', path: 'host', help: 'MQTT broker (127.0.0.1)' },
  { group: 'Target', flags: '-p, --port <port>', path: 'port', help: 'its port (1883, with TLS 8883)' },
  { group: 'Target', flags: '--url <url>', path: 'url', help: 'both, as mqtt://host:port or mqtts://host:port' },
  { group: 'Target', flags: '-V, --mqtt-version <version>', path: 'mqttVersion', help: '3.1.1, the only one there is' },
  { group: 'Target', flags: '-u, --username <name>', path: 'username', help: 'of all devices' },
  { group: 'Target', flags: '-P, --password <password>', path: 'password', help: 'of all devices' },
  { group: 'Target', flags: '--ca <file>', path: 'ca', help: 'TLS: who signed the broker’s certificate (PEM)' },
  { group: 'Target', flags: '--cert <file>', path: 'cert', help: 'TLS: the devices’ certificate (PEM)' },
  { group: 'Target', flags: '--key <file>', path: 'key', help: 'TLS: its key (PEM)' },
  { group: 'Target', flags: '--allow-remote', path: 'allowRemote', help: 'load targets beyond this machine' },
  { group: 'Devices', flags: '-c, --count <n>', path: 'devices.count', help: 'how many devices (100)' },
  { group: 'Devices', flags: '--devices <n>', path: 'devices.count', help: '', isHidden: true },
  { group: 'Devices', flags: '-n, --start-number <n>', path: 'devices.start', help: 'the number of the first (1)' },
  { group: 'Devices', flags: '--prefix <text>', path: 'devices.prefix', help: 'of their ids (sim-)' },
  { group: 'Devices', flags: '-i, --interval <time>', path: 'connectInterval', help: 'between two connections at the start; a bare number is ms, 0 is all at once' },
  { group: 'Devices', flags: '-R, --connrate <rate>', path: 'connrate', help: 'the same as connections a second (500/s)' },
  { group: 'Devices', flags: '--ramp <rate>', path: 'connrate', help: '', isHidden: true },
  { group: 'Devices', flags: '-F, --inflight <n>', path: 'devices.inflight', help: 'PUBLISHes without PUBACK at one time, each (4)' },
  { group: 'Devices', flags: '--device-queue <n>', path: 'devices.queue', help: 'images that wait behind those, each (16)' },
  { group: 'Devices', flags: '--device-queue-policy <policy>', path: 'devices.onFull', help: 'drop-oldest or drop-newest where it is full (drop-oldest)' },
  { group: 'Devices', flags: '-t, --topic <topic>', path: 'devices.topic', help: '%i number, %c client id, %u user, %id image, %seq count (devices/%c/images/%id)' },
  { group: 'Devices', flags: '--topic-prefix <topic>', path: 'topicPrefix', help: 'of that topic (devices)' },
  { group: 'Devices', flags: '--no-ids', path: 'devices.ids', help: 'send images without names' },
  { group: 'Devices', flags: '-q, --qos <n>', path: 'qos', help: '1, the only one that is acknowledged once' },
  { group: 'Load', flags: '--model <model>', path: 'model', help: 'open: by plan, whatever comes back; closed: as fast as it is answered (open)' },
  { group: 'Load', flags: '--rate <rate>', path: 'devices.rate', help: 'images of each device (2/min)' },
  { group: 'Load', flags: '-I, --message-interval <time>', path: 'devices.interval', help: 'the same as a time between two; a bare number is ms' },
  { group: 'Load', flags: '--arrival <how>', path: 'devices.arrival', help: 'periodic, uniform, poisson or synchronized (periodic)' },
  { group: 'Load', flags: '--jitter <share>', path: 'devices.jitter', help: 'of the interval, early or late (5%)' },
  { group: 'Load', flags: '-d, --duration <time>', path: 'duration', help: 'how long pictures are taken (60s)' },
  { group: 'Load', flags: '-L, --limit <n>', path: 'limit', help: 'stop after so many images, of which there are 3,000,000 at most; alone, there is no other end' },
  { group: 'Load', flags: '--warmup <time>', path: 'warmup', help: 'images planned before this are in no percentile (0s)' },
  { group: 'Load', flags: '--drain-timeout <time>', path: 'drainTimeout', help: 'how long to wait for the last PUBACKs (30s)' },
  { group: 'Load', flags: '--seed <n>', path: 'seed', help: 'of scenes, plans and mishaps (1)' },
  { group: 'Load', flags: '--workers <n>', path: 'workers', help: 'processes that share the devices (1)' },
  { group: 'Images', flags: '-s, --size <size>', path: 'devices.size', help: '250KB, normal(250KB,40KB) or uniform(100KB,400KB) (250KB)' },
  { group: 'Images', flags: '--images <dir>', path: 'devices.images', help: 'send its JPEG and PNG files, each copy with a comment of its own' },
  { group: 'Images', flags: '--format <format>', path: 'devices.format', help: 'raw, json or mix:raw=80,json=20 (raw)' },
  { group: 'Images', flags: '--duplicate-every <n>', path: 'devices.duplicateEvery', help: 'send every nth image of a device once more' },
  { group: 'Images', flags: '--corrupt-every <n>', path: 'devices.corruptEvery', help: 'every nth is no image, and must not be stored' },
  { group: 'Images', flags: '--oversize-every <n>', path: 'devices.oversizeEvery', help: 'every nth has 9 MB; given up after two cuts' },
  { group: 'Mishaps', flags: '--offline <share,at=,for=>', path: 'devices.offline', help: 'a share of devices is gone, as 20%,at=10s,for=30s', read: fields('share') },
  { group: 'Mishaps', flags: '--flap <every,for=,how=>', path: 'devices.flap', help: 'each goes down, as 60s,for=2s,how=clean|abrupt|half-open|mid-publish|power|mix', read: fields('every') },
  { group: 'Mishaps', flags: '--reconnect-storm <at>', path: 'reconnectStorm', help: 'cut all at once, and let all come back at once' },
  { group: 'Mishaps', flags: '--backoff <first,max=>', path: 'devices.backoff', help: 'before connecting again, doubled and drawn at random (500ms,max=30s)', read: fields('first') },
  { group: 'Mishaps', flags: '--power-loss <what>', path: 'devices.power', help: 'forgets or keeps what waits (keeps)' },
  { group: 'Mishaps', flags: '--clock-error <time>', path: 'devices.clockError', help: 'clocks are wrong by up to this (0s)' },
  { group: 'Mishaps', flags: '--dup', path: 'devices.dup', help: 'keep the session and resend with DUP and the old packet identifier' },
  { group: 'Mishaps', flags: '--link-rate <rate>', path: 'devices.linkRate', help: 'what each device can send, such as 2Mbit' },
  { group: 'Mishaps', flags: '--link-latency <time>', path: 'devices.linkLatency', help: 'of each device’s link, each way (0s)' },
  { group: 'Store', flags: '--uplink <rate,latency=,errors=,outage=>', path: 'uplink', help: 'the line of `simulate -- store`, as 40Mbit,latency=20ms,outage=20s+10s', read: fields('rate') },
  { group: 'Store', flags: '--no-uplink', path: 'uplink', help: 'leave the line alone, whatever the scenario says', read: () => null },
  { group: 'Outcome', flags: '--threshold <condition>', path: 'thresholds', help: 'what must hold, such as \'e2e_p99<10s\'; may be repeated', isRepeated: true }
]

/** `60s,for=2s` with the main field first. */
function readFields (text: string, main: string): Tree {
  return Object.fromEntries(text.split(',').map((part, at) => {
    const [name = '', ...value] = part.split('=')
    return value.length === 0 && at === 0 ? [main, name] : [name.trim(), value.join('=')]
  }))
}
