import type { ConnectRefusal, TopicRefusal } from './events.ts'
import { parseDeviceTopic, type DeviceId, type ImageId } from './topics.ts'

// Who may connect, publish and subscribe. Pure: the hooks of Aedes (hooks.ts) do what is said here.

export type Anonymous = 'loopback' | 'always' | 'never'

export interface ConnectClaim {
  readonly clientId: string
  readonly clean: boolean
  readonly protocolVersion: number
  readonly remote: string
  /** Says who it is; whether that is true is seen later. */
  readonly isNamed?: boolean
}

/** returnCode: what CONNACK says (MQTT 3.1.1, table 3.1). */
export interface ConnectDenial {
  readonly result: ConnectRefusal
  readonly returnCode: 1 | 2 | 3 | 4 | 5
  readonly detail: string
}

export interface ConnectRules {
  readonly anonymous: Anonymous
  readonly clientIdLengthMax: number
}

/** Undefined: admitted. */
export function judgeConnect (claim: ConnectClaim, rules: ConnectRules): ConnectDenial | undefined {
  const { clientId, clean, protocolVersion, remote, isNamed = false } = claim
  if (protocolVersion > 4) {
    return {
      result: 'unsupported_protocol',
      returnCode: 1,
      detail: `${clientId === '' ? remote : clientId} speaks MQTT ${protocolVersion}; ` +
        'set the client to 3.1.1 (mosquitto_pub -V mqttv311, MQTTX -V 3.1.1)'
    }
  }
  const badId = badClientId(clientId, clean, rules.clientIdLengthMax)
  if (badId !== undefined) return { result: 'bad_client_id', returnCode: 2, detail: badId }
  if (!isNamed && rules.anonymous !== 'always' && !(rules.anonymous === 'loopback' && isLoopback(remote))) {
    return {
      result: 'not_authorized',
      returnCode: 5,
      detail: `${clientId} connects from ${remote} without a name; auth.anonymous is ${rules.anonymous}`
    }
  }
  return undefined
}

function badClientId (clientId: string, clean: boolean, lengthMax: number): string | undefined {
  if (clientId === '' && !clean) return 'a session that is kept needs a client id [MQTT-3.1.3-8]'
  if (clientId.length > lengthMax) return `a client id of ${clientId.length} characters; at most ${lengthMax}`
  if (clientId.includes('\0')) return 'a client id with U+0000 in it [MQTT-1.5.3-2]'
  return undefined
}

export interface TopicRules {
  readonly topicPrefix: string
  readonly topicLengthMax: number
  readonly topicDepthMax: number
  readonly ordinaryBytesMax: number
}

export type PublishVerdict =
  | { readonly kind: 'image', readonly deviceId: DeviceId, readonly imageId: ImageId | undefined }
  | { readonly kind: 'ordinary' }
  | { readonly kind: 'refused', readonly reason?: TopicRefusal } & Malformed

export function judgePublish (topic: string, payloadBytes: number, rules: TopicRules): PublishVerdict {
  const { topicPrefix, ordinaryBytesMax } = rules
  const malformed = malformedTopic(topic, rules)
  if (malformed !== undefined) return { kind: 'refused', ...malformed }
  // Aedes looks at a PUBLISH for these, and not at a will.
  if (topic === '') return refused('an empty topic [MQTT-4.7.3-1]')
  if (/[+#]/.test(topic)) return refused('a topic with a wildcard in it [MQTT-3.3.2-2]')
  if (topic.startsWith(`${topicPrefix}/`)) {
    const named = parseDeviceTopic(topic, topicPrefix)
    if (named?.kind === 'image') return named
    if (named?.kind === 'acks') return refused('acks are written by Sluice alone')
    if (named === undefined) {
      return refused(`below ${topicPrefix}/ devices publish {deviceId}/images[/{imageId}] and ` +
        '{deviceId}/status, and others {deviceId}/config and {deviceId}/responses, ids of A-Z a-z 0-9 . _ ~ -')
    }
  }
  if (topic.startsWith('$')) return refused('topics that begin with $ are the broker\'s own [MQTT-4.7.2-1]')
  if (topic.startsWith('sluice/')) return refused('sluice/ is written by Sluice alone')
  if (payloadBytes > ordinaryBytesMax) {
    return refused(`${payloadBytes} bytes outside the image topics; at most ${ordinaryBytesMax}`)
  }
  return { kind: 'ordinary' }
}

/** Undefined: granted. Else why not. */
export function judgeFilter (filter: string, rules: TopicRules): Malformed | undefined {
  if (namesImages(filter.split('/'), rules.topicPrefix.split('/'))) {
    return { detail: 'images are not passed on to subscribers; {deviceId}/acks tells what became of them' }
  }
  return malformedTopic(filter, rules)
}

// A filter that is about images and nothing else. Wider ones (#, devices/+/+) are granted, since
// they carry other topics too, and no image ever comes through them.
function namesImages (levels: readonly string[], prefix: readonly string[]): boolean {
  return levels[prefix.length + 1] === 'images' &&
    prefix.every((level, i) => levels[i] === level || levels[i] === '+')
}

/** Why not, and the limit where it is one. */
export interface Malformed {
  readonly detail: string
  readonly limit?: 'topic_length' | 'topic_depth' | 'retained_bytes'
}

function malformedTopic (topic: string, { topicLengthMax, topicDepthMax }: TopicRules): Malformed | undefined {
  if (topic.length > topicLengthMax) {
    return { limit: 'topic_length', detail: `a topic of ${topic.length} characters; at most ${topicLengthMax}` }
  }
  if (topic.includes('\0')) return { detail: 'a topic with U+0000 in it [MQTT-1.5.3-2]' }
  const depth = topic.split('/').length
  return depth > topicDepthMax ? { limit: 'topic_depth', detail: `a topic of ${depth} levels; at most ${topicDepthMax}` } : undefined
}

function refused (detail: string): PublishVerdict {
  return { kind: 'refused', detail }
}

/** A remote address or a host to listen on that no other machine can reach. */
export function isLoopback (address: string): boolean {
  return address === 'localhost' || address === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/i.test(address)
}
