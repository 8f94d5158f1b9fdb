// For which device somebody may send an image: as over MQTT, by what may be published to its topic.

import type { Permit } from '../../broker/permit.ts'
import { everything } from '../../broker/permit.ts'
import { formatImageTopic, parseDeviceId } from '../../broker/topics.ts'
import type { Who } from './gate.ts'
import type { OfferHead, Refused } from './offer-head.ts'
import { problem } from './problem.ts'

export interface Sender {
  readonly who: Who
  readonly permit: Permit
}

/** A head that names the device where the sender may send for one alone, so that no envelope names another. */
export function nameSender (head: OfferHead, { who, permit }: Sender, topicPrefix: string): OfferHead | Refused {
  if (permit === everything) return head
  const own = who.kind === 'user' ? parseDeviceId(who.identity.username) : undefined
  const deviceId = head.names.deviceId ?? own
  const name = who.kind === 'user' ? who.identity.username : 'somebody without a name'
  if (deviceId !== undefined && permit.mayPublish(formatImageTopic(topicPrefix, deviceId, head.names.imageId))) {
    return { ...head, names: { ...head.names, deviceId } }
  }
  const detail = deviceId === undefined ? `${name} may not send without ?device=` : `${name} may not send as ${deviceId}`
  const hint = 'A device sends as itself; auth.aclFile grants more, as over MQTT.'
  return { kind: 'refused', reply: problem(who.kind === 'user' ? 'forbidden' : 'not_authorized', detail, { hint }) }
}
