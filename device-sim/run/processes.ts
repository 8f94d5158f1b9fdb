// A fleet spread over processes. Each has every nth device and tells what they do in batches; all
// counting is done here, so that a report knows nothing of processes.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { extname, join } from 'node:path'
import type { DeviceEvent, Observe } from '../devices/events.ts'
import type { Fleet, FleetOptions } from '../devices/fleet.ts'
import type { FromProcess, ToProcess } from '../devices/fleet-process.ts'
import { SimulatorError } from '../errors.ts'

/** Throws the SimulatorError of the first process that cannot begin; then none is left. */
export async function openProcesses (options: FleetOptions, observe: Observe): Promise<Fleet> {
  const { workers } = options.scenario
  const parts = Array.from({ length: workers }, (_, index) =>
    startPart({ ...options, slice: { index, of: workers } }, observe))
  const tell = (message: ToProcess): void => { for (const part of parts) part.tell(message) }
  const abouts = await Promise.all(parts.map(({ opened }) => opened)).catch((error: unknown) => {
    for (const part of parts) part.leave() // or this process would stay for their sake
    throw error
  })
  const broken = new AbortController()
  for (const { ended } of parts) void ended.then((error) => { if (error !== undefined) broken.abort(error) })
  return {
    about: abouts[0] ?? '',
    broken: broken.signal,
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
  /** For people: what the images are. Rejects with a SimulatorError where it cannot begin. */
  readonly opened: Promise<string>
  tell (message: ToProcess): void
  readonly captured: Promise<number>
  /** Why, where it did not end as it was asked to. */
  readonly ended: Promise<SimulatorError | undefined>
  /** Ends it at once. */
  leave (): void
}

function startPart (options: FleetOptions, observe: Observe): Part {
  // Compiled or not, as this file is.
  const main = join(import.meta.dirname, `../devices/fleet-process${extname(import.meta.filename)}`)
  const child = fork(main, { serialization: 'advanced' })
  let isAsked = false
  const ended = once(child, 'exit').then(([code, signal]) => isAsked && code === 0
    ? undefined
    : explainEnd(options, { pid: child.pid, end: (signal ?? `code ${code}`) as string }))
  const tell = (message: ToProcess): void => {
    isAsked ||= message.kind === 'close'
    if (child.connected) child.send(message)
  }
  let resolveCaptured: (missed: number) => void = () => {}
  const captured = new Promise<number>((resolve) => { resolveCaptured = resolve })
  const opened = new Promise<string>((resolve, reject) => {
    child.on('error', reject)
    void ended.then(reject)
    child.on('message', (message: FromProcess) => {
      switch (message.kind) {
        case 'open': return resolve(message.about)
        case 'refused': return reject(new SimulatorError(message.code, message.message))
        case 'events': return message.events.forEach((event: DeviceEvent) => { observe(event) })
        case 'captured': return resolveCaptured(message.missed)
      }
    })
    tell({ kind: 'open', options })
  })
  void ended.then(() => { resolveCaptured(0) }) // or a worker that died would be waited for
  return { opened, tell, captured, ended, leave: () => { if (child.connected) child.disconnect() } }
}

function explainEnd ({ slice: { index, of } }: FleetOptions, { pid, end }: {
  readonly pid: number | undefined
  /** Its signal or exit code. */
  readonly end: string
}): SimulatorError {
  return new SimulatorError('FAULT', `worker ${index + 1} of ${of} (process ${pid}) ended with ${end}, and its devices with it; ` +
    'where memory ran out, take fewer devices or smaller images, else what it said itself stands above')
}
