/** What Aedes keeps beside topic and payload: a packet and its place. test/kept-memory.test.ts measures it. */
const EACH_BYTES = 1_200

/**
 * How many bytes the retained messages take, all together. Aedes keeps them in memory without a
 * limit; what would go over it is refused before Aedes stores it.
 */
export class Retained {
  readonly #bytesMax: number
  readonly #bytesByTopic = new Map<string, number>()
  #bytes = 0

  constructor (bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes (): number { return this.#bytes }
  get count (): number { return this.#bytesByTopic.size }

  /** False: no room, and nothing changed. An empty payload removes the topic [MQTT-3.3.1-10]. */
  keep (topic: string, payloadBytes: number): boolean {
    const before = this.#bytesByTopic.get(topic) ?? 0
    const after = payloadBytes === 0 ? 0 : EACH_BYTES + topic.length + payloadBytes
    if (after > before && this.#bytes - before + after > this.#bytesMax) return false
    this.#bytes += after - before
    if (after === 0) this.#bytesByTopic.delete(topic)
    else this.#bytesByTopic.set(topic, after)
    return true
  }
}
