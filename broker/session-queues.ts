// What waits in sessions that are kept, and what it takes. A message that waits in several sessions is in memory
// once (aedes-persistence, asyncPersistence.js), and so its payload counts once in all, and in full in each.

/** As much of a PUBLISH or PUBREL as says what keeping it takes. */
export interface Waiting {
  readonly cmd?: string
  readonly topic?: string
  readonly payload?: string | Buffer
}

export interface QueueLimits {
  /** Messages that wait for one session; further ones are dropped and counted. */
  readonly queuedMax: number
  /** Bytes of these. */
  readonly queuedBytesMax: number
  /** Bytes that wait in all sessions together. */
  readonly queuedBytesAllMax: number
}

export type QueueLimit = 'session_messages' | 'session_bytes' | 'sessions_bytes'

interface Queue {
  messages: number
  bytes: number
  /** It was told of; once it has room again the next time is another one. */
  isFull: boolean
  /** What was sent, by its packet identifier: its place goes on to a PUBREL, its payload does not. */
  readonly sent: Map<number, Waiting>
}

/** What is kept beside the payload of one: its packet and its place. test/kept-memory.test.ts measures it. */
const EACH_BYTES = 1_000

export class SessionQueues {
  readonly #limits: QueueLimits
  readonly #onFull: (clientId: string, limit: QueueLimit, detail: string) => void
  readonly #queues = new Map<string, Queue>()
  /** In how many places each payload is. */
  readonly #places = new Map<unknown, number>()
  #messages = 0
  #bytes = 0
  #dropped = 0

  constructor (limits: QueueLimits, onFull: (clientId: string, limit: QueueLimit, detail: string) => void) {
    this.#limits = limits
    this.#onFull = onFull
  }

  get messages (): number { return this.#messages }
  get bytes (): number { return this.#bytes }
  /** Messages that a full session did not get. */
  get dropped (): number { return this.#dropped }

  /** False: there is no room, and nothing changed. */
  add (clientId: string, message: Waiting): boolean {
    const queue = this.#queues.get(clientId) ?? emptyQueue()
    const limit = this.#whyFull(queue, message)
    if (limit !== undefined) {
      this.#dropped++
      if (!queue.isFull) this.#onFull(clientId, limit, this.#explain(limit))
      queue.isFull = true // of one without messages nothing is kept, and it is told of again
      return false
    }
    queue.isFull = false
    queue.messages++
    queue.bytes += EACH_BYTES + bytesOf(message)
    this.#messages++
    this.#bytes += EACH_BYTES + this.#enter(message)
    this.#queues.set(clientId, queue)
    return true
  }

  /** It went out with this packet identifier. */
  sent (clientId: string, messageId: number, message: Waiting): void {
    const queue = this.#queues.get(clientId)
    if (queue === undefined) return
    const { cmd, topic = '', payload = '' } = message
    if (cmd === 'pubrel') this.#release(queue, messageId)
    else queue.sent.set(messageId, { topic, payload })
  }

  /** It waits no more. */
  remove (clientId: string, messageId: number | undefined, message: Waiting): void {
    const queue = this.#queues.get(clientId)
    if (queue === undefined) return
    if (messageId !== undefined) queue.sent.delete(messageId)
    const isPayloadGone = message.cmd === 'pubrel'
    queue.messages--
    queue.bytes -= EACH_BYTES + (isPayloadGone ? 0 : bytesOf(message))
    this.#messages--
    this.#bytes -= EACH_BYTES + (isPayloadGone ? 0 : this.#leave(message))
    if (queue.messages === 0) this.#queues.delete(clientId)
  }

  /** PUBREC came: what is kept of it from here on is its packet identifier. */
  #release (queue: Queue, messageId: number): void {
    const message = queue.sent.get(messageId)
    if (message === undefined) return
    queue.sent.delete(messageId)
    queue.bytes -= bytesOf(message)
    this.#bytes -= this.#leave(message)
  }

  #whyFull ({ messages, bytes }: Queue, message: Waiting): QueueLimit | undefined {
    const { queuedMax, queuedBytesMax, queuedBytesAllMax } = this.#limits
    const more = EACH_BYTES + bytesOf(message)
    if (messages >= queuedMax) return 'session_messages'
    if (bytes + more > queuedBytesMax) return 'session_bytes'
    const isThere = this.#places.has(message.payload)
    return this.#bytes + (isThere ? EACH_BYTES : more) > queuedBytesAllMax ? 'sessions_bytes' : undefined
  }

  #explain (limit: QueueLimit): string {
    const { queuedMax, queuedBytesMax, queuedBytesAllMax } = this.#limits
    const rest = 'further ones are dropped until it takes some'
    switch (limit) {
      case 'session_messages': return `${queuedMax} messages wait for it, as many as mqtt.limits.sessionMessages allows; ${rest}`
      case 'session_bytes': return `as much waits for it as mqtt.limits.sessionBytes allows, ${queuedBytesMax} bytes; ${rest}`
      case 'sessions_bytes':
        return `as much waits in all sessions as mqtt.limits.sessionsBytes allows, ${queuedBytesAllMax} bytes; ${rest}`
    }
  }

  /** The bytes that it takes beyond what is there. Aedes makes each empty payload anew. */
  #enter (message: Waiting): number {
    if (isEmpty(message)) return bytesOf(message)
    const places = this.#places.get(message.payload) ?? 0
    this.#places.set(message.payload, places + 1)
    return places === 0 ? bytesOf(message) : 0
  }

  /** The bytes that are free by it. */
  #leave (message: Waiting): number {
    if (isEmpty(message)) return bytesOf(message)
    const places = (this.#places.get(message.payload) ?? 1) - 1
    if (places > 0) this.#places.set(message.payload, places)
    else this.#places.delete(message.payload)
    return places > 0 ? 0 : bytesOf(message)
  }
}

function emptyQueue (): Queue {
  return { messages: 0, bytes: 0, isFull: false, sent: new Map() }
}

function isEmpty ({ payload = '' }: Waiting): boolean {
  return payload.length === 0
}

function bytesOf ({ topic = '', payload = '' }: Waiting): number {
  return topic.length + payload.length
}
