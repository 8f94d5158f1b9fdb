// What no single setting can say: whether they make sense together.

import { formatAddress, isLoopback } from './address.ts'
import { checkAccess } from './check-access.ts'
import type { Config } from './config.ts'
import { checkSchedule, RATE_MIN } from './schedule.ts'
import { formatRate, formatShare, formatSize } from './units.ts'

/** A sentence about one setting that rests on the values of all that it reads. */
export interface Doubt {
  readonly path: string
  readonly message: string
  readonly reads: readonly string[]
}

/** Names that the key of an object may hold in braces. */
export const KEY_FIELDS = ['deviceId', 'imageId', 'yyyy', 'MM', 'dd', 'HH', 'ext']
const SEGMENTS_MIN = 4

export function checkConfig (config: Config): readonly Doubt[] {
  return [
    ...checkSizes(config), ...checkAccess(config),
    ...checkLocalStore(config), ...checkPorts(config), ...checkKey(config.s3.key), ...checkCredentials(config),
    ...checkShare(config.uplink), ...checkSchedule(config.uplink)
  ]
}

function checkSizes ({ mqtt, spool }: Config): Doubt[] {
  const packet = formatSize(mqtt.maxPacketSize)
  const segment = formatSize(spool.segmentSize)
  const segments = formatSize(SEGMENTS_MIN * spool.segmentSize)
  return [
    ...unless(mqtt.memoryBudget >= mqtt.maxPacketSize, {
      path: 'mqtt.memoryBudget',
      reads: ['mqtt.memoryBudget', 'mqtt.maxPacketSize'],
      message: `is less than one packet of mqtt.maxPacketSize; write ${packet} or more`
    }),
    ...unless(spool.segmentSize >= mqtt.maxPacketSize, {
      path: 'spool.segmentSize',
      reads: ['spool.segmentSize', 'mqtt.maxPacketSize'],
      message: `is less than one packet of mqtt.maxPacketSize; write ${packet} or more`
    }),
    ...unless(spool.limit >= SEGMENTS_MIN * spool.segmentSize, {
      path: 'spool.limit',
      reads: ['spool.limit', 'spool.segmentSize'],
      message: `is less than ${SEGMENTS_MIN} segments; write ${segments} or more, or lower spool.segmentSize`
    }),
    ...unless(spool.reserve >= spool.segmentSize, {
      path: 'spool.reserve',
      reads: ['spool.reserve', 'spool.segmentSize'],
      message: `leaves no room to recover one segment; write ${segment} or more`
    })
  ]
}

function checkLocalStore ({ localStore: { listen }, s3 }: Config): Doubt[] {
  return unless(!s3.local || isLoopback(listen.host), {
    path: 'localStore.listen',
    reads: ['localStore.listen', 's3.endpoint', 's3.bucket'],
    message: `can be reached from other machines; listen on ${formatAddress({ ...listen, host: '127.0.0.1' })}`
  })
}

function checkPorts ({ mqtt, http, localStore, s3 }: Config): Doubt[] {
  const listeners = [
    { path: 'mqtt.listen', port: mqtt.listen.port },
    ...(mqtt.tls === undefined ? [] : [{ path: 'mqtt.tls.listen', port: mqtt.tls.listen.port }]),
    ...(mqtt.ws.listen === undefined ? [] : [{ path: 'mqtt.ws.listen', port: mqtt.ws.listen.port }]),
    ...(mqtt.ws.tls === undefined ? [] : [{ path: 'mqtt.ws.tlsListen', port: mqtt.ws.tls.listen.port }]),
    { path: 'http.listen', port: http.listen.port },
    ...(s3.local ? [{ path: 'localStore.listen', port: localStore.listen.port }] : [])
  ]
  return listeners.flatMap(({ path, port }, index) => {
    const taken = listeners.slice(0, index).find((earlier) => earlier.port === port && port !== 0)
    return unless(taken === undefined, {
      path,
      reads: [path, taken?.path ?? path],
      message: `has the port of ${taken?.path}; give each listener its own`
    })
  })
}

function checkKey (key: string): Doubt[] {
  const parts = key.split('/')
  const fields = [...key.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name)
  const known = KEY_FIELDS.map((name) => `{${name}}`).join(' ')
  const doubts: Array<readonly [holds: boolean, message: string]> = [
    ...fields.map((name) => [KEY_FIELDS.includes(name), `holds {${name}}; known are ${known}`] as const),
    ...['deviceId', 'imageId'].map((name) =>
      [fields.includes(name), `lacks {${name}}, without which two images could have one key`] as const),
    // Either id may hold any letter that could part them: cam-1 and 2 would meet cam and 1-2.
    [!parts.some((part) => part.includes('{deviceId}') && part.includes('{imageId}')),
      'needs a / between {deviceId} and {imageId}, without which two images could have one key'],
    [!parts.some((part) => ['', '.', '..'].includes(part)),
      'has an empty part, or one of dots; write it like images/{deviceId}/{imageId}.{ext}']
  ]
  return doubts.flatMap(([holds, message]) => unless(holds, { path: 's3.key', reads: ['s3.key'], message }))
}

function checkCredentials ({ s3: { accessKeyId, secretAccessKey } }: Config): Doubt[] {
  return unless((accessKeyId === undefined) === (secretAccessKey === undefined), {
    path: accessKeyId === undefined ? 's3.accessKeyId' : 's3.secretAccessKey',
    reads: ['s3.accessKeyId', 's3.secretAccessKey', 's3.accessKeyIdFile', 's3.secretAccessKeyFile'],
    message: "is missing beside its partner; give both, or neither for AWS's standard chain of credentials"
  })
}

function checkShare ({ capacity, share }: Config['uplink']): Doubt[] {
  const leastShare = Math.ceil(RATE_MIN / capacity * 1000) / 1000
  return unless(share * capacity >= RATE_MIN, {
    path: 'uplink.share',
    reads: ['uplink.share', 'uplink.capacity'],
    message: `comes to less than ${formatRate(RATE_MIN)} of uplink.capacity, too little to send images with; ` +
      `write ${formatShare(leastShare)} or more`
  })
}

function unless (holds: boolean, doubt: Doubt): Doubt[] {
  return holds ? [] : [doubt]
}
