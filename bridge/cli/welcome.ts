import { join } from 'node:path'
import { formatAddress, isLoopback } from '../config/address.ts'
import { hasUsers, type Address, type Config } from '../config/config.ts'
import { mqttListeners } from '../config/listeners.ts'

/** What is known once the service runs, and not before: ports may have been 0. */
export interface Places {
  readonly mqtt: Address
  readonly http: Address
  /** Where images land, for people. */
  readonly place: string
}

/** The five lines of a start. */
export function formatWelcome (config: Config, { mqtt, http, place }: Places): readonly string[] {
  const { s3, localStore } = config
  const topic = `${config.mqtt.topicPrefix}/{deviceId}/images`
  return [
    `devices connect to  mqtt://${formatAddress(mqtt)} (MQTT 3.1.1), and publish to ${topic} at QoS 1`,
    `the page is at      http://${formatAddress(http)}/`,
    `images land in      ${s3.local ? `${join(localStore.dir, s3.bucket)} (S3 at ${place})` : place}`,
    `not safe            ${listRisks(config).join('; ') || 'nothing that this configuration shows'}`,
    `try                 ${formatPublish(config, mqtt)}`
  ]
}

/** What somebody could do, or what could be lost, by this configuration. */
export function listRisks ({ mqtt, auth, s3, http, localStore }: Config): readonly string[] {
  const listeners = mqttListeners(mqtt)
  const [reached] = listeners.filter(({ at, isMutual }) => !isLoopback(at.host) && !isMutual)
  const isClearBeyond = listeners.some(({ at, isTls }) => !isTls && !isLoopback(at.host))
  const isNamed = hasUsers(auth) || listeners.some(({ isMutual }) => isMutual)
  const isOpen = auth.anonymous === 'always' || (auth.anonymous === 'loopback' && !isNamed)
  const who = reached === undefined || auth.anonymous === 'loopback'
    ? 'any program on this machine'
    : `anyone who reaches ${formatAddress(reached.at)}`
  const what = isNamed ? 'images and passwords' : 'images'
  return [
    ...(isOpen && auth.aclFile === undefined ? [`${who} may publish as any device`] : []),
    ...(isClearBeyond ? [`${what} cross the network in the clear`] : []),
    ...(http.token === undefined && !hasUsers(auth) ? ['any program on this machine may retry and delete images'] : []),
    ...(s3.local ? [`the store in ${localStore.dir} is on this machine, no second copy`] : []),
    ...(isClear(s3.endpoint) ? [`images go to ${s3.endpoint} in the clear`] : [])
  ]
}

function isClear (endpoint: string | undefined): boolean {
  if (endpoint === undefined) return false
  const { protocol, hostname } = new URL(endpoint)
  return protocol === 'http:' && !isLoopback(hostname.replace(/^\[|\]$/g, ''))
}

// mosquitto_pub speaks 3.1.1 to localhost:1883 unless it is told otherwise.
function formatPublish ({ mqtt: { topicPrefix } }: Config, { host, port }: Address): string {
  const isNear = isLoopback(host) || host === '0.0.0.0' || host === '::'
  const where = [...(isNear ? [] : ['-h', host]), ...(port === 1883 ? [] : ['-p', String(port)])]
  return ['mosquitto_pub', ...where, '-t', `${topicPrefix}/cam-1/images`, '-q', '1', '-f', 'photo.jpg'].join(' ')
}
