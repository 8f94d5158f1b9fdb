// Lines to pace on, and a meter to hold what really crosses against them.

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pacing } from '../../bridge/objects/paced-socket.ts'

/** A line that is never full. */
export function freeLine (bytesMax = 64_000): Pacing {
  return { pace: async () => {}, paceBytesMax: () => bytesMax }
}

/** First come, first served, at an even rate: a piece leaves when its time on the line has passed. */
export function evenLine (bytesPerSecond: number, bytesMax: number): Pacing {
  let freeAt = 0
  return {
    paceBytesMax: () => bytesMax,
    async pace (bytes, signal) {
      freeAt = Math.max(freeAt, performance.now()) + bytes / bytesPerSecond * 1000
      await sleep(Math.max(0, freeAt - performance.now()), undefined, signal === undefined ? {} : { signal })
    }
  }
}

export interface HeldLine extends Pacing {
  waiting (): number
  /** Lets everything go that waits now. */
  release (): void
  /** From now on everything goes at once. */
  open (bytesMax: number): void
}

/** A line that moves only when it is told to. */
export function heldLine (bytesMax: number): HeldLine {
  const waiting = new Set<() => void>()
  let isOpen = false
  return {
    paceBytesMax: () => bytesMax,
    pace: (_bytes, signal) => new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason)
      if (isOpen) return resolve()
      waiting.add(resolve)
      signal?.addEventListener('abort', () => {
        waiting.delete(resolve)
        reject(signal.reason)
      })
    }),
    waiting: () => waiting.size,
    release () {
      for (const resolve of waiting) resolve()
      waiting.clear()
    },
    open (openBytesMax) {
      bytesMax = openBytesMax
      isOpen = true
      this.release()
    }
  }
}

/** Puts a server on a free port of the loopback; it is gone after the test with all its connections. */
export async function listen (t: TestContext, server: Server): Promise<{ server: Server, port: number }> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {}) // cut connections are what tests are about
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { server, port: (server.address() as AddressInfo).port }
}

export interface Meter {
  readonly port: number
  /** Bytes from clients so far. */
  bytes (): number
  connections (): number
  /** The most bytes from clients in any stretch of so many milliseconds. */
  most (ms: number): number
}

/** A TCP proxy that writes down when how many bytes came from the client. */
export async function startMeter (t: TestContext, target: number): Promise<Meter> {
  const seen: { at: number, bytes: number }[] = []
  let connections = 0
  const { port } = await listen(t, createServer((client) => {
    connections++
    const server = connect(target, '127.0.0.1')
    server.on('error', () => client.destroy())
    client.on('data', ({ length }) => seen.push({ at: performance.now(), bytes: length }))
    client.on('close', () => server.destroy())
    server.on('close', () => client.destroy())
    client.pipe(server).pipe(client)
  }))
  const sum = (some: typeof seen) => some.reduce((total, { bytes }) => total + bytes, 0)
  return {
    port,
    bytes: () => sum(seen),
    connections: () => connections,
    most: (ms) => Math.max(0, ...seen.map(({ at: from }) =>
      sum(seen.filter(({ at }) => at >= from && at < from + ms))))
  }
}
