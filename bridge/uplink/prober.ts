import { setTimeout as sleep } from 'node:timers/promises'
import type { ObjectStore, ProbeOutcome } from '../objects/object-store.ts'

/** How long an answer is waited for before another probe is sent beside the first. */
const PATIENCE_MS = 2_000

/**
 * Asks a store that is thought to be down. One probe is given all the time that the store may take, for a slow one
 * answers late; beside it short ones go, because a request sent into a dead line hears nothing of its return.
 */
export class Prober {
  readonly #store: Pick<ObjectStore, 'probe'>
  #patient: { readonly answer: Promise<ProbeOutcome>, readonly give: AbortController } | undefined

  constructor (store: Pick<ObjectStore, 'probe'>) {
    this.#store = store
  }

  /** Undefined where nobody has answered yet. */
  async ask (signal: AbortSignal): Promise<ProbeOutcome | undefined> {
    const short = new AbortController()
    const stop = (): void => { short.abort(); this.#giveUp() }
    signal.addEventListener('abort', stop, { once: true })
    try {
      const patient = this.#patient?.answer
      const answers = patient === undefined ? [this.#begin()] : [patient, this.#store.probe(short.signal)]
      const late = sleep(PATIENCE_MS, undefined, { signal: short.signal }).catch(() => undefined)
      const outcome = await Promise.race([...answers, late])
      if (outcome?.kind === 'available') this.#giveUp()
      return outcome
    } finally {
      short.abort()
      signal.removeEventListener('abort', stop)
    }
  }

  #begin (): Promise<ProbeOutcome> {
    const give = new AbortController()
    const answer = this.#store.probe(give.signal)
    this.#patient = { answer, give }
    const over = (): void => { if (this.#patient?.give === give) this.#patient = undefined }
    answer.then(over, over)
    return answer
  }

  #giveUp (): void {
    this.#patient?.give.abort()
    this.#patient = undefined
  }
}
