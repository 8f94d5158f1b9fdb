import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FaultPlan } from './faults.ts'

/** A request's body, read once, piece by piece, no faster than the fault plan has it. */
export class RequestBody implements AsyncIterable<Buffer> {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #faults: FaultPlan
  readonly #pieces: AsyncIterator<Buffer>
  readonly #declaredBytes: number
  #continueIsDue: boolean
  #bytes = 0
  #ended: boolean

  constructor (request: IncomingMessage, response: ServerResponse, faults: FaultPlan) {
    this.#request = request
    this.#response = response
    this.#faults = faults
    // An iterator that destroys the stream when it is left would take the connection, and the answer, along.
    this.#pieces = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer> // no encoding is set
    const { expect, 'content-length': length, 'transfer-encoding': transfer } = request.headers
    this.#declaredBytes = Number(length ?? 0)
    this.#continueIsDue = expect?.toLowerCase() === '100-continue'
    this.#ended = this.#declaredBytes === 0 && transfer === undefined
  }

  [Symbol.asyncIterator] (): AsyncIterator<Buffer> {
    return { next: async () => await this.#next() }
  }

  /**
   * Reads and forgets what is left, so that a client that is still sending gets to read the answer;
   * up to `bytesMax`, and not at all where it waits for `100 Continue`. True if nothing is left.
   */
  async drain (bytesMax: number): Promise<boolean> {
    for (let bytes = 0; !this.#ended && !this.#continueIsDue && bytes <= bytesMax;) {
      const { value, done } = await this.#next()
      if (done !== true) bytes += value.length
    }
    return this.#ended
  }

  async #next (): Promise<IteratorResult<Buffer, undefined>> {
    if (this.#ended) return { done: true, value: undefined }
    if (this.#continueIsDue) this.#response.writeContinue()
    this.#continueIsDue = false
    const piece = await this.#pieces.next()
    if (piece.done === true) {
      this.#ended = true
      return { done: true, value: undefined }
    }
    this.#bytes += piece.value.length
    await this.#faults.pace(piece.value.length, this.#response)
    if (this.#faults.reset === 'body' && this.#bytes >= this.#declaredBytes / 2) this.#request.socket.resetAndDestroy()
    return piece
  }
}
