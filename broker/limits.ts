import type { GuessLimits } from './guesses.ts'
import type { PaceLimits } from './pace.ts'
import type { QueueLimits } from './session-queues.ts'

/** What one listener lets its clients use, beyond what an operator sets. Bytes and milliseconds. */
export interface BrokerLimits extends GuessLimits, PaceLimits, QueueLimits {
  readonly connectionsPerAddressMax: number
  /** From the complete CONNECT until it is known who sent it. */
  readonly verifyMs: number
  /** A client without a keep alive is cut once it has sent nothing for so long. */
  readonly idleMs: number
  readonly topicDepthMax: number
  /** Of the sessions that are kept, those of one user. */
  readonly sessionsPerUserMax: number
  /** Of a CONNECT, and so of all that is read from a client that has not been admitted. */
  readonly connectBytesMax: number
  /** From the accepted socket to the complete CONNECT. */
  readonly connectMs: number
  /** A PUBLISH up to this size is read without asking the memory budget. */
  readonly smallBytesMax: number
  /** Of every packet that is no PUBLISH: the longest SUBSCRIBE. */
  readonly controlBytesMax: number
  /** Of a payload outside the image topics. */
  readonly ordinaryBytesMax: number
  /** Publishes of one connection that are being read or held; behind them its socket is not read. */
  readonly inFlightMax: number
  /** A packet that was begun goes on within this time, or the connection is cut. */
  readonly progressMs: number
  /** A PUBLISH that holds memory arrives at this rate or faster once progressMs have passed. */
  readonly uploadBytesPerSecondMin: number
  /** A subscriber that reads nothing for so long is cut; ordinary messages may wait for it until then. */
  readonly drainMs: number
  readonly clientIdLengthMax: number
  readonly topicLengthMax: number
  readonly subscriptionsMax: number
  /** Sessions with clean session 0, connected or not. */
  readonly sessionsMax: number
  /** Of all retained messages together. */
  readonly retainedBytesMax: number
  /** How long `close` waits for the publishes that are held. */
  readonly closeMs: number
  /** How long a client may then take to hang up after our FIN. */
  readonly lingerMs: number
  /** How often silence is looked for: a deadline is kept to within this. */
  readonly pulseMs: number
}

export const defaultLimits: BrokerLimits = {
  connectionsPerAddressMax: 8_000,
  messagesPerSecond: 1_000,
  bytesPerSecond: 100_000_000,
  verifyMs: 30_000,
  idleMs: 3_600_000,
  topicDepthMax: 32,
  sessionsPerUserMax: 1_000,
  connectBytesMax: 8 * 1024,
  connectMs: 5_000,
  smallBytesMax: 8 * 1024,
  controlBytesMax: 64 * 1024,
  ordinaryBytesMax: 256 * 1024,
  inFlightMax: 32,
  progressMs: 30_000,
  uploadBytesPerSecondMin: 1_000,
  drainMs: 10_000,
  clientIdLengthMax: 256,
  topicLengthMax: 1_024,
  subscriptionsMax: 1_000,
  sessionsMax: 10_000,
  queuedMax: 1_000,
  queuedBytesMax: 4_000_000,
  queuedBytesAllMax: 64_000_000,
  retainedBytesMax: 32_000_000,
  closeMs: 10_000,
  lingerMs: 1_000,
  pulseMs: 250,
  verifyingMax: 2,
  guessesWaitingMax: 64,
  guessesFree: 3,
  guessPauseMs: 250,
  guessPauseMsMax: 500,
  guessersMax: 10_000,
  addressGuessesFree: 100,
  addressGuessesPerSecond: 5,
  namesWaitingMax: 128,
  addressesMax: 10_000
}
