// One process's part of a fleet: devices here, counting in the process that started this one.

import { SimulatorError } from '../errors.ts'
import type { DeviceEvent } from './events.ts'
import { openFleet, type Fleet, type FleetOptions } from './fleet.ts'

export type ToProcess =
  | { readonly kind: 'open', readonly options: FleetOptions }
  | { readonly kind: 'capture', readonly startedAt: number }
  | { readonly kind: 'resize', readonly factor: number }
  | { readonly kind: 'finish' }
  | { readonly kind: 'abort' }
  | { readonly kind: 'close' }

export type FromProcess =
  | { readonly kind: 'open', readonly about: string }
  | { readonly kind: 'refused', readonly code: SimulatorError['code'], readonly message: string }
  | { readonly kind: 'events', readonly events: readonly DeviceEvent[] }
  | { readonly kind: 'captured', readonly missed: number }

const BATCH_MS = 50

const abort = new AbortController()
const finish = new AbortController()
let events: DeviceEvent[] = []
let fleet: Fleet | undefined

function tell (message: FromProcess): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {}) // where it fails, a disconnect follows
}

function flush (): void {
  if (events.length > 0) tell({ kind: 'events', events })
  events = []
}

async function open (options: FleetOptions): Promise<void> {
  try {
    fleet = await openFleet(options, (event) => { events.push(event) })
    tell({ kind: 'open', about: fleet.about })
  } catch (error) {
    if (!(error instanceof SimulatorError)) throw error
    tell({ kind: 'refused', code: error.code, message: error.message })
  }
}

async function answer (message: ToProcess): Promise<void> {
  switch (message.kind) {
    case 'open':
      return await open(message.options)
    case 'capture': {
      const missed = await fleet?.capture(message.startedAt, { abort: abort.signal, finish: finish.signal })
      flush()
      tell({ kind: 'captured', missed: missed ?? 0 })
      return
    }
    case 'resize': return fleet?.resize(message.factor)
    case 'finish': return finish.abort()
    case 'abort': return abort.abort()
    case 'close':
      await fleet?.close()
      flush()
      process.disconnect()
      clearInterval(ticking)
  }
}

const ticking = setInterval(flush, BATCH_MS)
// Ctrl-C in a terminal reaches the whole group; when to end is for the process that counts to say.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => {})
process.on('disconnect', () => { setImmediate(() => process.exit()) }) // the one that counts is gone, or has all
process.on('message', (message: ToProcess) => { void answer(message) })
if (!process.connected) process.exit() // it was gone before this file was read
