import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { WireInput } from './wire-inputs.ts'

/** How long an answer may take before the next attacker has its turn. */
const ANSWER_MS = 15

/** Plays an input to a port, reads what comes, and is gone. */
export async function attack (port: number, input: WireInput): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.on('error', () => {}) // being cut is what it is here for
  socket.resume()
  const closed = once(socket, 'close').catch(() => {})
  for (const piece of input) {
    if (socket.destroyed) break
    socket.write(piece)
    if (input.length > 1) await delay(0)
  }
  await Promise.race([closed, delay(ANSWER_MS)])
  socket.destroy()
  await closed
}
