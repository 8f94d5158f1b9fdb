import { closeSync, openSync, writeSync } from 'node:fs'
import type { DeviceEvent } from './events.ts'

/**
 * Notes what becomes of images, for judge/manifest.ts to read; the format stands there. A line has left the process
 * once `observe` returns, so that whatever a device has sent can be known after any crash of this or another process.
 */
export class ImageLines {
  readonly #file: number

  /** Goes on behind what is there. */
  constructor (path: string) {
    this.#file = openSync(path, 'a')
  }

  observe (event: DeviceEvent): void {
    if (event.kind === 'sent' && !event.isAgain) {
      const { sha256: sent, ...image } = event.image
      this.#write({ sent, ...image })
    }
    if (event.kind === 'acknowledged') this.#write({ acked: event.image.sha256, at: event.image.ackedAt })
  }

  close (): void {
    closeSync(this.#file)
  }

  #write (line: object): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`)
  }
}
