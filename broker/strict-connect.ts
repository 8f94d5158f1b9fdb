import { Fields } from './strict-fields.ts'
import { wrongText, wrongTopic } from './strict-text.ts'

/** What CONNECT says of the protocol; undefined where it ends before that. */
export interface Protocol {
  readonly name: string
  readonly level: number
}

// A bridge of mosquitto adds 128 to the level, and Aedes knows that. Level 5 has fields of its own; Aedes reads them,
// and answers that it is not supported.
const MQTT_5 = 5
const LEVELS: Readonly<Record<string, readonly number[]>> = { MQTT: [4, 132, MQTT_5], MQIsdp: [3, 131] }

/** It is MQTT, of a level that nobody here knows: the client is told so in a CONNACK [MQTT-3.1.2-2]. */
export function isUnsupported ({ name, level }: Protocol): boolean {
  return Object.hasOwn(LEVELS, name) && LEVELS[name]?.includes(level) === false
}

export function readProtocol (packet: Buffer, at: number): Protocol | undefined {
  const fields = new Fields(packet, at)
  const name = fields.text()
  const level = fields.byte()
  return name === undefined || level === undefined ? undefined : { name: name.toString('latin1'), level }
}

/** Says what is wrong with a CONNECT of a level that is supported. */
export function wrongConnect (packet: Buffer, at: number): string | undefined {
  const fields = new Fields(packet, at)
  const name = fields.text()?.toString('latin1') ?? ''
  if (!Object.hasOwn(LEVELS, name)) return `a CONNECT of the protocol ${JSON.stringify(name.slice(0, 20))} [MQTT-3.1.2-1]`
  const level = fields.byte()
  const flags = fields.byte()
  const keepAlive = fields.uint16()
  if (level === MQTT_5) return undefined
  if (level === undefined || flags === undefined || keepAlive === undefined) return endsEarly
  return wrongFlags(flags) ?? wrongPayload(fields, flags)
}

const endsEarly = 'a CONNECT that ends within its fields [MQTT-3.1.4-1]'

function wrongFlags (flags: number): string | undefined {
  const [hasWill, willQos] = [(flags & 4) > 0, flags >> 3 & 3]
  if ((flags & 1) > 0) return 'a CONNECT with its reserved flag set [MQTT-3.1.2-3]'
  if (willQos === 3) return 'a CONNECT with a will of QoS 3 [MQTT-3.1.2-14]'
  if (!hasWill && willQos > 0) return 'a CONNECT with the QoS of a will, and no will [MQTT-3.1.2-13]'
  if (!hasWill && (flags & 0x20) > 0) return 'a CONNECT that retains a will, and no will [MQTT-3.1.2-15]'
  if ((flags & 0xc0) === 0x40) return 'a CONNECT with a password and no user name [MQTT-3.1.2-22]'
  return undefined
}

// The fields in their only order [MQTT-3.1.3-1], each where its flag says so, and nothing behind them.
function wrongPayload (fields: Fields, flags: number): string | undefined {
  const clientId = fields.text()
  if (clientId === undefined) return 'a CONNECT without a client id [MQTT-3.1.3-3]'
  const wrong = wrongText(clientId)
  if (wrong !== undefined) return `a CONNECT with a client id ${wrong}`
  if ((flags & 4) > 0) {
    const [topic, message] = [fields.text(), fields.text()]
    if (topic === undefined || message === undefined) return endsEarly
    const wrong = wrongTopic(topic)
    if (wrong !== undefined) return `a CONNECT with a will to a topic ${wrong}`
  }
  if ((flags & 0x80) > 0) {
    const username = fields.text()
    const wrong = username === undefined ? undefined : wrongText(username)
    if (username === undefined) return endsEarly
    if (wrong !== undefined) return `a CONNECT with a user name ${wrong}`
  }
  if ((flags & 0x40) > 0 && fields.text() === undefined) return endsEarly
  return fields.isAtEnd ? undefined : 'a CONNECT with bytes behind its last field [MQTT-3.1.4-1]'
}
