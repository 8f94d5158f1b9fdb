// A store, as a process of its own, that takes every object and keeps none: `drop-store.ts [open [PORT]]`. Without
// `open` it refuses everything until it gets SIGUSR2. Prints `stored COUNT at MS` every tenth of a second.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const EVERY_MS = 100

let isOpen = process.argv[2] === 'open'
let stored = 0

const store = createServer((request, response) => {
  request.resume()
  request.on('end', () => {
    if (!isOpen) {
      response.writeHead(503).end()
      return
    }
    if (request.method === 'PUT') stored++
    response.setHeader('etag', '"0"').end()
  })
})

process.on('SIGUSR2', () => { isOpen = true })
store.listen(Number(process.argv[3] ?? 0), '127.0.0.1', () => {
  console.log(`listening on ${(store.address() as AddressInfo).port}`) // listening on a port, so no string and not null
  setInterval(() => { console.log(`stored ${stored} at ${Date.now()}`) }, EVERY_MS)
})
