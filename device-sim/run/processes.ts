// A fleet spread over processes. Each has every nth device and tells what they do in batches; all
// counting is done here, so that a report knows nothing of processes.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { extname, join } from 'node:path'
import type { DeviceEvent, Observe } from '../devices/events.ts'
import type { Fleet, FleetOptions } from '../devices/fleet.ts'
import type { FromProcess, ToProcess } from '../devices/fleet-process.ts'

export async function openProcesses (options: FleetOptions, observe: Observe): Promise<Fleet> {
  const { workers } = options.scenario
  const parts = await Promise.all(Array.from({ length: workers }, async (_, index) =>
    await openProcess({ ...options, slice: { index, of: workers } }, observe)))
  const tell = (message: ToProcess): void => { for (const part of parts) part.tell(message) }
  return {
    about: parts[0]?.about ?? '',
    async capture (startedAt, { abort, finish }) {
      abort.addEventListener('abort', () => { tell({ kind: 'abort' }) }, { once: true })
      finish.addEventListener('abort', () => { tell({ kind: 'finish' }) }, { once: true })
      if (abort.aborted) tell({ kind: 'abort' })
      tell({ kind: 'capture', startedAt })
      const missed = await Promise.all(parts.map((part) => part.captured))
      return missed.reduce((sum, each) => sum + each, 0)
    },
    resize (factor) { tell({ kind: 'resize', factor }) },
    async close () {
      tell({ kind: 'close' })
      await Promise.all(parts.map((part) => part.ended))
    }
  }
}

interface Part {
  readonly about: string
  tell (message: ToProcess): void
  readonly captured: Promise<number>
  readonly ended: Promise<unknown>
}

async function openProcess (options: FleetOptions, observe: Observe): Promise<Part> {
  // Compiled or not, as this file is.
  const main = join(import.meta.dirname, `../devices/fleet-process${extname(import.meta.filename)}`)
  const child = fork(main, { serialization: 'advanced' })
  const ended = once(child, 'exit')
  const tell = (message: ToProcess): void => { if (child.connected) child.send(message) }
  let resolveCaptured: (missed: number) => void = () => {}
  const captured = new Promise<number>((resolve) => { resolveCaptured = resolve })
  const about = await new Promise<string>((resolve, reject) => {
    child.on('error', reject)
    child.once('exit', (code) => { reject(new Error(`a worker ended with ${code}`)) })
    child.on('message', (message: FromProcess) => {
      switch (message.kind) {
        case 'open': return resolve(message.about)
        case 'events': return message.events.forEach((event: DeviceEvent) => { observe(event) })
        case 'captured': return resolveCaptured(message.missed)
      }
    })
    tell({ kind: 'open', options })
  })
  void ended.then(() => { resolveCaptured(0) }) // or a worker that died would be waited for
  return { about, tell, captured, ended }
}
