import { join } from 'node:path'
import { runLoad } from './load.ts'
import { NO_STORE, ready, startService, withTempDirectory } from './subject.ts'

export interface StartRow {
  readonly waiting: number
  readonly after: 'SIGTERM' | 'SIGKILL'
  readonly readySeconds: number
  readonly residentMegabytes: number
}

const env = { ...NO_STORE, SLUICE_SPOOL_LIMIT: '60GB' }

/** How long a start takes with a backlog on disk, after a clean end and after a kill. */
export async function benchStart (waiting: number): Promise<StartRow[]> {
  return await withTempDirectory(async (directory) => {
    const dataDir = join(directory, 'data')
    let service = await startService(dataDir, env)
    const target = { devices: 100, bytes: 250_000, topic: 'devices/%d/images/%n', user: undefined, password: undefined }
    for (let left = waiting; left > 0; left -= 5000) {
      await runLoad({ ...target, port: service.mqttPort, count: Math.min(left, 5000) })
    }
    const rows: StartRow[] = []
    for (const after of ['SIGKILL', 'SIGTERM'] as const) {
      await service.child.stop(after)
      const startedAt = performance.now()
      service = await startService(dataDir, env)
      await ready(service.httpPort)
      const readySeconds = (performance.now() - startedAt) / 1000
      const { ledger } = await service.status()
      rows.push({ waiting: ledger.waiting, after, readySeconds, residentMegabytes: service.child.memory().peak / 1e6 })
    }
    await service.child.stop()
    return rows
  })
}
