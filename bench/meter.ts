// The line between the service and the store, as a process of its own: it passes bytes on and prints how
// many the service has sent so far. A store that is busy reads late what has long crossed the line.

import { createServer, connect, type AddressInfo } from 'node:net'

const EVERY_MS = 100

const storePort = Number(process.argv[2])
let bytes = 0

const line = createServer((client) => {
  const store = connect(storePort, '127.0.0.1')
  client.on('data', ({ length }: Buffer) => { bytes += length })
  client.pipe(store).pipe(client)
  client.on('error', () => { store.destroy() })
  store.on('error', () => { client.destroy() })
})

line.listen(0, '127.0.0.1', () => {
  console.log(`listening on ${(line.address() as AddressInfo).port}`) // listening on a port, so no string and not null
  setInterval(() => { console.log(`at ${Date.now()} sent ${bytes}`) }, EVERY_MS)
})
