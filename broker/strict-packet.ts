import { packetType } from './frame.ts'
import { wrongConnect } from './strict-connect.ts'
import { bodyAt, Fields } from './strict-fields.ts'
import { wrongFilter, wrongTopic } from './strict-text.ts'

/** Says what is wrong with a whole packet whose header was right. Of a PUBLISH it reads no byte of the payload. */
export function wrongPacket (packet: Buffer): string | undefined {
  const at = bodyAt(packet)
  switch (packet.readUInt8(0) >> 4) {
    case packetType.connect: return wrongConnect(packet, at)
    case packetType.publish: return wrongPublish(packet, at)
    case packetType.puback:
    case packetType.pubrec:
    case packetType.pubrel:
    case packetType.pubcomp: return wrongIdentifier(packet.readUInt16BE(at))
    case packetType.subscribe: return wrongList(new Fields(packet, at), true)
    case packetType.unsubscribe: return wrongList(new Fields(packet, at), false)
    default: return undefined // nothing is in them
  }
}

function wrongPublish (packet: Buffer, at: number): string | undefined {
  const fields = new Fields(packet, at)
  const topic = fields.text()
  if (topic === undefined) return 'a PUBLISH that ends within its topic [MQTT-3.3.2-1]'
  const wrong = wrongTopic(topic)
  if (wrong !== undefined) return `a PUBLISH to a topic ${wrong}`
  const hasIdentifier = (packet.readUInt8(0) & 6) > 0
  return hasIdentifier ? wrongIdentifier(fields.uint16()) : undefined
}

function wrongIdentifier (identifier: number | undefined): string | undefined {
  if (identifier === undefined) return 'a packet without a packet identifier [MQTT-2.3.1-1]'
  return identifier === 0 ? 'a packet with packet identifier 0 [MQTT-2.3.1-1]' : undefined
}

function wrongList (fields: Fields, hasQos: boolean): string | undefined {
  const [name, clause] = hasQos ? ['SUBSCRIBE', '3.8.3-3'] : ['UNSUBSCRIBE', '3.10.3-2']
  const identifier = wrongIdentifier(fields.uint16())
  if (identifier !== undefined) return identifier
  if (fields.isAtEnd) return `a ${name} without a topic filter [MQTT-${clause}]`
  while (!fields.isAtEnd) {
    const filter = fields.text()
    if (filter === undefined) return `a ${name} that ends within a topic filter [MQTT-4.8.0-1]`
    const wrong = wrongFilter(filter)
    if (wrong !== undefined) return `a ${name} with a topic filter ${wrong}`
    if (!hasQos) continue
    const qos = fields.byte()
    if (qos === undefined) return `a ${name} with a topic filter and no QoS [MQTT-3.8.3-3]`
    if (qos > 2) return `a ${name} that asks for QoS ${qos} [MQTT-3.8.3-4]`
  }
  return undefined
}
