import type { BrokerLimits } from '../broker/limits.ts'
import type { Config } from './config/config.ts'

/** The limits that an operator sets, by the names they have in the broker. */
export function brokerLimits (limits: Config['mqtt']['limits']): Partial<BrokerLimits> {
  return {
    connectionsPerAddressMax: limits.connectionsPerAddress,
    connectMs: limits.handshake,
    messagesPerSecond: limits.messagesPerSecond,
    bytesPerSecond: limits.bytesPerSecond,
    inFlightMax: limits.inFlight,
    topicDepthMax: limits.topicDepth,
    topicLengthMax: limits.topicLength,
    subscriptionsMax: limits.subscriptions,
    sessionsMax: limits.sessions,
    sessionsPerUserMax: limits.sessionsPerUser,
    queuedMax: limits.sessionMessages,
    queuedBytesMax: limits.sessionBytes,
    queuedBytesAllMax: limits.sessionsBytes,
    retainedBytesMax: limits.retainedBytes,
    addressGuessesFree: limits.guessesPerAddress,
    idleMs: limits.idle,
    progressMs: limits.progress,
    uploadBytesPerSecondMin: limits.uploadBytesPerSecond
  }
}
