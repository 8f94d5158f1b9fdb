import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { startBridge, type Bridge } from '../../bridge/bridge.ts'
import { readConfig } from '../../bridge/config/read-config.ts'
import type { BridgeEvent } from '../../bridge/events.ts'
import type { LocalStore } from '../../bridge/local-store/server.ts'
import { makeTempDirectory } from './spool.ts'

export interface TestBridge {
  readonly bridge: Bridge
  readonly store: LocalStore
  readonly dataDir: string
  readonly events: BridgeEvent[]
  /** What /api/v1/status says. */
  status (): Promise<Status>
  /** SHA-256 of every object in the store, by key. */
  objects (): Promise<Map<string, string>>
  close (): Promise<{ waiting: number }>
}

/** The part of the status that tests look at. */
export interface Status {
  readonly verdict: { readonly word: string, readonly sentence: string }
  readonly ledger: {
    readonly acknowledged: number
    readonly uploaded: number
    readonly waiting: number
    readonly failed: number
    readonly dropped: number
    readonly exact: boolean
  }
}

/** The whole service in this process, on free ports, with the local store. */
export async function startTestBridge (
  t: TestContext, env: Readonly<Record<string, string>> = {}, directory?: string
): Promise<TestBridge> {
  const dataDir = directory ?? await makeTempDirectory(t)
  const events: BridgeEvent[] = []
  const config = readConfig({
    flags: {},
    env: {
      SLUICE_DATA_DIR: dataDir, SLUICE_MQTT_LISTEN: '127.0.0.1:0', SLUICE_HTTP_LISTEN: '127.0.0.1:0', ...env
    }
  })
  const bridge = await startBridge(config, { log: { observe: (event) => { events.push(event) } }, version: 'test' })
  let closing: Promise<{ waiting: number }> | undefined
  const close = (): Promise<{ waiting: number }> => {
    closing ??= bridge.close(AbortSignal.timeout(2000))
    return closing
  }
  t.after(close)
  const store = bridge.localStore
  if (store === undefined) throw new Error('the test did not ask for the local store')
  return {
    bridge,
    store,
    dataDir,
    events,
    close,
    async status () {
      const response = await fetch(`http://127.0.0.1:${bridge.http.port}/api/v1/status`)
      return await response.json() as Status
    },
    objects: () => hashFiles(join(dataDir, 'objects', 'images'))
  }
}

export async function hashFiles (root: string): Promise<Map<string, string>> {
  const hashes = new Map<string, string>()
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => [])
  for (const entry of entries.filter((entry) => entry.isFile())) {
    const path = join(entry.parentPath, entry.name)
    hashes.set(path.slice(root.length + 1), sha256(await readFile(path)))
  }
  return hashes
}

export function sha256 (bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
