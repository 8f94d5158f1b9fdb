// A store that drops what it gets, behind a line with a meter, in a process of their own: at 1 Gbit/s the sender
// needs a core for itself.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { createServer as createHttpServer, type ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import type { TestContext } from 'node:test'
import { passOn, readingOf, type Crossing, type Reading } from './line.ts'

export interface MeteredStore {
  /** Of the line: what is sent there is counted and reaches the store. */
  readonly port: number
  /** What has crossed so far, and the most and the fewest bytes in any stretch of so many milliseconds. */
  read (ms: number): Promise<Reading>
}

export async function startMeteredStore (t: TestContext): Promise<MeteredStore> {
  const child = fork(fileURLToPath(import.meta.url))
  t.after(() => { child.kill() })
  const [port] = await once(child, 'message') as [number]
  return {
    port,
    async read (ms) {
      child.send(ms)
      const [reading] = await once(child, 'message') as [Reading]
      return reading
    }
  }
}

/** What S3 answers: nothing to a put, a document to the begin and the end of an upload in parts. */
function answer (method: string, url: string, response: ServerResponse): void {
  const [name, content] = url.includes('uploads') ? ['Initiate', '<UploadId>u</UploadId>'] : ['Complete', '<ETag>"1"</ETag>']
  const document = `<${name}MultipartUploadResult>${content}</${name}MultipartUploadResult>`
  response.setHeader('etag', '"1"').end(method === 'POST' ? document : '')
}

async function main (send: (message: unknown) => void): Promise<void> {
  const store = createHttpServer((request, response) => {
    const { method = '', url = '' } = request
    request.resume().on('error', () => {}).on('end', () => { answer(method, url, response) })
  }).listen(0, '127.0.0.1')
  await once(store, 'listening')
  const crossed: Crossing[] = []
  const line = createServer((client) => {
    passOn(client, portOf(store.address()), (bytes) => crossed.push({ at: performance.now(), bytes }))
    client.on('error', () => {}) // the sender's cuts are not ours
  }).listen(0, '127.0.0.1')
  await once(line, 'listening')
  process.on('message', (ms: number) => { send(readingOf(crossed, ms)) })
  send(portOf(line.address()))
}

function portOf (address: AddressInfo | string | null): number {
  return (address as AddressInfo).port
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main((message) => process.send?.(message))
