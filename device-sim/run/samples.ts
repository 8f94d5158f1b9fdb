import type { Sample } from '../report/report.ts'

const SAMPLES_MAX = 3600

/** The points of the charts. Where they are too many every second one goes, so that the whole run stays on it. */
export class Samples {
  #all: Sample[] = []
  #every = 1
  #count = 0

  add (sample: Sample): void {
    if (this.#count++ % this.#every !== 0) return
    this.#all.push(sample)
    if (this.#all.length < SAMPLES_MAX) return
    this.#all = this.#all.filter((_, index) => index % 2 === 0)
    this.#every *= 2
  }

  get all (): readonly Sample[] { return this.#all }
}
