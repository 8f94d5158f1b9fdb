import type { ReadStream, WriteStream } from 'node:tty'
import type { Terminal } from './exit.ts'

const CTRL_C = '\u0003'

/** Of a terminal that does not know its own. */
const COLUMNS = 80

/** Draws over what it drew before (ECMA-48: CUU moves up, ED clears to the end). Ctrl-C stays what it is. */
export function openTerminal (keys: ReadStream, screen: WriteStream, interrupt: () => void): Terminal {
  let height = 0
  return {
    draw (lines) {
      const up = height === 0 ? '' : `\u001b[${height}A`
      const cut = lines.map((line) => line.slice(0, Math.max(20, (screen.columns || COLUMNS) - 1)))
      screen.write(`${up}\u001b[J${cut.join('\n')}\n`)
      height = lines.length
    },
    onKey (listener) {
      const hear = (data: Buffer): void => {
        const key = data.toString()
        if (key === CTRL_C) interrupt() // raw mode leaves it to us
        else listener(key)
      }
      keys.setRawMode(true)
      keys.on('data', hear).resume()
      return () => {
        keys.off('data', hear)
        keys.setRawMode(false)
        keys.pause()
      }
    }
  }
}
