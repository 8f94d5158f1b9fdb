import type { Aedes } from 'aedes'
import { formatAcksTopic, type DeviceId, type Note } from './topics.ts'

/** What the broker itself publishes. Nobody need be subscribed. */
export interface Voice {
  /** On the device's acks topic: QoS 1, not retained. */
  notify (deviceId: DeviceId, note: Note): void
  /**
   * On a topic that no client may publish to: QoS 0, retained or not. Resolves once it is written to those who are
   * subscribed, which waits for a slow one. Never rejects.
   */
  announce (topic: string, payload: string, retain: boolean): Promise<void>
}

export function createVoice (aedes: Aedes, topicPrefix: string): Voice {
  const publish = (topic: string, payload: string, { qos, retain }: { qos: 0 | 1, retain: boolean }): Promise<void> =>
    // Fails only where the broker is closed, and then nobody is subscribed.
    new Promise((resolve) => {
      aedes.publish({ cmd: 'publish', topic, payload, qos, retain, dup: false }, () => { resolve() })
    })
  return {
    notify (deviceId, note) {
      void publish(formatAcksTopic(topicPrefix, deviceId), JSON.stringify(note), { qos: 1, retain: false })
    },
    announce: (topic, payload, retain) => publish(topic, payload, { qos: 0, retain })
  }
}
