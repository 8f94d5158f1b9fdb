// The whole service in this process with a store that is not its own: a local store that a test makes, so that the
// store goes on where the service is stopped, and something may stand between the two.

import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { startBridge } from '../../bridge/bridge.ts'
import { readConfig } from '../../bridge/config/read-config.ts'
import type { BridgeEvent } from '../../bridge/events.ts'
import type { Faults } from '../../bridge/local-store/faults.ts'
import type { Status } from '../../bridge/status.ts'
import { storedIn } from './custody.ts'
import { listen } from './line.ts'
import { credentials, startTestStore } from './local-store.ts'
import { makeTempDirectory } from './spool.ts'

/** Answers in place of the store, or lets a request through to it (false). */
export type Between = (request: IncomingMessage, response: ServerResponse) => boolean

export interface RemoteBridge {
  readonly mqttPort: number
  readonly faults: Faults
  /** What stands between from now on, where the site has a place for it. */
  stand (between: Between): void
  readonly events: readonly BridgeEvent[]
  status (): Promise<Status>
  /** SHA-256 of every object in the store, by `deviceId/imageId`. */
  stored (): Promise<Map<string, string>>
}

export interface RemoteOptions {
  readonly env?: Readonly<Record<string, string>>
  /** A server of its own before the store; without it the store is reached directly. */
  readonly between?: Between
  /** The name under which the store is reached; it must lead to this machine. */
  readonly host?: string
  /** Something on the way to a port of this machine; resolves with a port of its own. */
  readonly line?: (port: number) => Promise<number>
}

export async function startRemoteBridge (t: TestContext, options: RemoteOptions = {}): Promise<RemoteBridge> {
  const [dataDir, place] = [await makeTempDirectory(t), await makeTempDirectory(t)]
  const store = await startTestStore(t, { dir: join(place, 'objects') })
  let { between } = options
  const endpoint = between === undefined
    ? store.endpoint
    : await startBetween(t, store.endpoint, (request, response) => between?.(request, response) ?? false)
  const reached = new URL(endpoint)
  if (options.line !== undefined) reached.port = String(await options.line(Number(reached.port)))
  const events: BridgeEvent[] = []
  const config = readConfig({
    flags: {},
    env: {
      SLUICE_DATA_DIR: dataDir,
      SLUICE_MQTT_LISTEN: '127.0.0.1:0',
      SLUICE_HTTP_LISTEN: '127.0.0.1:0',
      SLUICE_S3_ENDPOINT: reached.origin.replace('127.0.0.1', options.host ?? '127.0.0.1'),
      SLUICE_S3_ACCESS_KEY_ID: credentials.accessKeyId,
      SLUICE_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      ...options.env
    }
  })
  const bridge = await startBridge(config, { log: { observe: (event) => { events.push(event) } }, version: 'test' })
  t.after(() => bridge.close(AbortSignal.timeout(1000)))
  return {
    mqttPort: bridge.mqtt.port,
    faults: store.faults,
    stand (next) { between = next },
    events,
    async status () {
      return await (await fetch(`http://127.0.0.1:${bridge.http.port}/api/v1/status`)).json() as Status
    },
    stored: () => storedIn(place)
  }
}

async function startBetween (t: TestContext, endpoint: string, between: Between): Promise<string> {
  const { hostname, port } = new URL(endpoint)
  const { port: own } = await listen(t, createServer((request, response) => {
    request.on('error', () => {}) // cut connections are what tests are about
    if (between(request, response)) {
      request.resume()
      return
    }
    const { method, url: path, headers } = request
    const onward = httpRequest({ hostname, port, method, path, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  }))
  return `http://${hostname}:${own}`
}
