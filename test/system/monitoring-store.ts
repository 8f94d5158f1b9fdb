// The local store in a process of its own: in the test's, cameras and Prometheus' answers would hold it up.
// Run as a program it is that process, and is told over node's own channel which fault to have.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { startLocalStore } from '../../bridge/local-store/server.ts'
import { bucket, credentials, region } from '../helpers/local-store.ts'
import { makeDirectory } from './peers.ts'

export interface Trouble {
  readonly outage?: boolean
  /** 0 to 1. */
  readonly errorRate?: number
  /** Puts of this device are refused from now on. */
  readonly refusedDevice?: string
}

export interface DistantStore {
  readonly endpoint: string
  /** Resolves once it is so; what is not named is as it should be. */
  suffer (trouble: Trouble): Promise<void>
}

type Said = { readonly endpoint: string } | 'done'

export async function startDistantStore (t: TestContext): Promise<DistantStore> {
  const dir = await makeDirectory(t)
  const child = fork(import.meta.filename, [dir], { execArgv: ['--import', 'tsx'] })
  const ended = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const answer = async (): Promise<Said> => {
    const gone = ended.then(([code]) => { throw new Error(`the store ended with ${String(code)}`) })
    const [said] = await Promise.race([once(child, 'message'), gone]) as [Said]
    return said
  }
  const said = await answer()
  if (said === 'done') throw new Error('the store did not say where it is')
  return {
    endpoint: said.endpoint,
    async suffer (trouble) {
      child.send(trouble)
      await answer()
    }
  }
}

async function serve (dir: string): Promise<void> {
  const { endpoint, faults } = await startLocalStore({
    listen: { host: '127.0.0.1', port: 0 },
    dir,
    credentials,
    region,
    buckets: [bucket],
    onFault: (cause) => { console.error(cause.message) }
  })
  process.on('message', ({ refusedDevice, ...knobs }: Trouble) => {
    if (refusedDevice !== undefined) {
      faults.refuseKeys(new RegExp(`${refusedDevice}/`), { status: 400, code: 'EntityTooLarge' })
    }
    void faults.set({ outage: false, errorRate: 0, ...knobs }).then(() => process.send?.('done'))
  })
  process.send?.({ endpoint })
}

const [, program, directory] = process.argv
if (program === import.meta.filename && directory !== undefined) await serve(directory)
