import { packetType, type Header } from './frame.ts'
import { isUnsupported, readProtocol } from './strict-connect.ts'
import { Exchanges } from './strict-exchanges.ts'
import { bodyAt } from './strict-fields.ts'
import { wrongHeader } from './strict-header.ts'
import { wrongPacket } from './strict-packet.ts'

export type StrictVerdict =
  | { readonly kind: 'sound' }
  /** It answers nothing that was sent: to be dropped. */
  | { readonly kind: 'unsolicited' }
  | StrictRefusal

/** The connection is to be ended, after `unsupportedLevel` in the one case. */
export type StrictRefusal =
  | { readonly kind: 'unsupported-level', readonly level: string }
  /** `detail` names the packet and the clause. */
  | { readonly kind: 'violation', readonly detail: string }

/** CONNACK [MQTT-3.1.2-2]. */
export const unsupportedLevel = Buffer.of(0x20, 2, 0, 1)

const sound: StrictVerdict = { kind: 'sound' }

/**
 * Holds one client to the letter of MQTT 3.1.1 where Aedes and its parser are lax, so that what reaches them is
 * always a packet of the standard. Reads headers, and of a PUBLISH nothing behind its packet identifier.
 */
export class Strict {
  readonly #exchanges = new Exchanges()

  /** The CONNACK is to say that the session was kept. */
  resumesSession (): void { this.#exchanges.resumesSession() }

  /** Says what is wrong with it, before anything behind it is kept. */
  judgeHeader ({ firstByte, declaredBytes }: Header, isFirst: boolean): string | undefined {
    if (!isFirst && firstByte >> 4 === packetType.connect) return 'a second CONNECT [MQTT-3.1.0-2]'
    return wrongHeader(firstByte, declaredBytes)
  }

  /** Of a whole packet whose header was right. */
  judge (packet: Buffer): StrictVerdict {
    const type = packet.readUInt8(0) >> 4
    if (type === packetType.connect) {
      const protocol = readProtocol(packet, bodyAt(packet))
      if (protocol !== undefined && isUnsupported(protocol)) return { kind: 'unsupported-level', level: `${protocol.name} level ${protocol.level}` }
    }
    const detail = wrongPacket(packet)
    if (detail !== undefined) return { kind: 'violation', detail }
    return type === packetType.publish ? sound : this.#exchanges.judge(packet)
  }

  /** What the broker is about to write, whole packets; gives what is to be written. */
  sends (packets: Buffer): Buffer { return this.#exchanges.sends(packets) }
}
