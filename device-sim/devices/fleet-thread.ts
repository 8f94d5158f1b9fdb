// One thread's part of a fleet: devices here, counting elsewhere.

import { parentPort, workerData } from 'node:worker_threads'
import type { DeviceEvent } from './events.ts'
import { openFleet, type FleetOptions } from './fleet.ts'

export type ToThread =
  | { readonly kind: 'capture', readonly startedAt: number }
  | { readonly kind: 'resize', readonly factor: number }
  | { readonly kind: 'finish' }
  | { readonly kind: 'abort' }
  | { readonly kind: 'close' }

export type FromThread =
  | { readonly kind: 'open', readonly about: string }
  | { readonly kind: 'events', readonly events: readonly DeviceEvent[] }
  | { readonly kind: 'captured', readonly missed: number }

const BATCH_MS = 50

const port = parentPort
if (port === null) throw new Error('this file runs as a thread')
let events: DeviceEvent[] = []
const tell = (message: FromThread): void => { port.postMessage(message) }
const flush = (): void => {
  if (events.length > 0) tell({ kind: 'events', events })
  events = []
}
const abort = new AbortController()
const finish = new AbortController()
const ticking = setInterval(flush, BATCH_MS)
const fleet = await openFleet(readOptions(), (event) => { events.push(event) })

port.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'capture':
      void fleet.capture(message.startedAt, { abort: abort.signal, finish: finish.signal }).then((missed) => {
        flush()
        tell({ kind: 'captured', missed })
      })
      return
    case 'resize': return fleet.resize(message.factor)
    case 'finish': return finish.abort()
    case 'abort': return abort.abort()
    case 'close':
      void fleet.close().then(() => {
        clearInterval(ticking)
        flush()
        port.close()
      })
  }
})
tell({ kind: 'open', about: fleet.about })

// Buffers arrive as plain Uint8Arrays.
function readOptions (): FleetOptions {
  const options = workerData as FleetOptions
  const { tls } = options.target
  if (tls === undefined) return options
  const trust = Object.fromEntries(Object.entries(tls)
    .map(([name, pem]) => [name, pem && Buffer.from(pem as Uint8Array)]))
  return { ...options, target: { ...options.target, tls: trust } }
}
