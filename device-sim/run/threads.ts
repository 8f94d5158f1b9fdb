// A fleet spread over threads. Each has every nth device and tells what they do in batches; all
// counting is done here, so that a report knows nothing of threads.

import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Fleet, FleetOptions } from '../devices/fleet.ts'
import type { DeviceEvent, Observe } from '../devices/events.ts'
import type { ToThread, FromThread } from '../devices/fleet-thread.ts'

export async function openThreads (options: FleetOptions, observe: Observe): Promise<Fleet> {
  const { workers } = options.scenario
  const threads = await Promise.all(Array.from({ length: workers }, async (_, index) =>
    await openThread({ ...options, slice: { index, of: workers } }, observe)))
  return {
    about: threads[0]?.about ?? '',
    async capture (startedAt, { abort, finish }) {
      const tell = (message: ToThread) => () => { for (const thread of threads) thread.tell(message) }
      abort.addEventListener('abort', tell({ kind: 'abort' }), { once: true })
      finish.addEventListener('abort', tell({ kind: 'finish' }), { once: true })
      if (abort.aborted) tell({ kind: 'abort' })()
      tell({ kind: 'capture', startedAt })()
      const missed = await Promise.all(threads.map((thread) => thread.captured))
      return missed.reduce((sum, each) => sum + each, 0)
    },
    resize (factor) {
      for (const thread of threads) thread.tell({ kind: 'resize', factor })
    },
    async close () {
      for (const thread of threads) thread.tell({ kind: 'close' })
      await Promise.all(threads.map((thread) => thread.ended))
    }
  }
}

interface Thread {
  readonly about: string
  tell (message: ToThread): void
  readonly captured: Promise<number>
  readonly ended: Promise<unknown>
}

async function openThread (options: FleetOptions, observe: Observe): Promise<Thread> {
  // Compiled or not, as this file is.
  const worker = new Worker(new URL(`../devices/fleet-thread${extname(import.meta.filename)}`, import.meta.url),
    { workerData: options })
  const ended = once(worker, 'exit')
  let resolveCaptured: (missed: number) => void = () => {}
  const captured = new Promise<number>((resolve) => { resolveCaptured = resolve })
  const about = await new Promise<string>((resolve, reject) => {
    worker.on('error', reject)
    worker.on('message', (message: FromThread) => {
      switch (message.kind) {
        case 'open': return resolve(message.about)
        case 'events': return message.events.forEach((event: DeviceEvent) => { observe(event) })
        case 'captured': return resolveCaptured(message.missed)
      }
    })
  })
  return { about, tell: (message) => { worker.postMessage(message) }, captured, ended }
}
