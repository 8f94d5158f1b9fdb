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
  /** The fewest in any such stretch between the first byte and the last. */
  least (ms: number): number
}

export interface Crossing {
  /** ms of `performance.now()`. */
  readonly at: number
  readonly bytes: number
}

export interface Reading {
  readonly bytes: number
  readonly most: number
  readonly least: number
}

/** A TCP proxy that writes down when how many bytes came from the client. */
export async function startMeter (t: TestContext, target: number): Promise<Meter> {
  const seen: Crossing[] = []
  let connections = 0
  const { port } = await listen(t, createServer((client) => {
    connections++
    passOn(client, target, (bytes) => seen.push({ at: performance.now(), bytes }))
  }))
  return {
    port,
    bytes: () => readingOf(seen, 0).bytes,
    connections: () => connections,
    most: (ms) => readingOf(seen, ms).most,
    least: (ms) => readingOf(seen, ms).least
  }
}

/** Connects a client with the server at `target`, and tells of what it sends there. */
export function passOn (client: Socket, target: number, sent: (bytes: number) => void): void {
  const server = connect(target, '127.0.0.1')
  server.on('error', () => client.destroy())
  client.on('data', ({ length }) => { sent(length) })
  client.on('close', () => server.destroy())
  server.on('close', () => client.destroy())
  client.pipe(server).pipe(client)
}

/** All bytes, and the most and the fewest in any stretch of `ms`; the fewest between the first byte and the last. */
export function readingOf (seen: readonly Crossing[], ms: number): Reading {
  const all = stretches(seen, ms)
  return {
    bytes: seen.reduce((total, { bytes }) => total + bytes, 0),
    most: all.reduce((most, { first, after }) => Math.max(most, first + after), 0),
    least: all
      .filter(({ at }) => at + ms <= (seen.at(-1)?.at ?? 0))
      .reduce((least, { after }) => Math.min(least, after), Infinity)
  }
}

export interface ThinLine {
  readonly port: number
  bytesPerSecond: number
}

/** A TCP proxy that takes no more than so much from its clients, all together, and leaves the rest in their buffers. */
export async function startThinLine (t: TestContext, target: number, bytesPerSecond: number): Promise<ThinLine> {
  let freeAt = 0
  const line = { port: 0, bytesPerSecond }
  const { port } = await listen(t, createServer((client) => {
    const server = connect(target, '127.0.0.1')
    server.on('error', () => client.destroy())
    client.on('data', (chunk: Buffer) => {
      client.pause()
      freeAt = Math.max(freeAt, performance.now()) + chunk.length / line.bytesPerSecond * 1000
      setTimeout(() => { server.write(chunk); client.resume() }, freeAt - performance.now())
    })
    client.on('close', () => server.destroy())
    server.on('close', () => client.destroy())
    server.pipe(client)
  }))
  line.port = port
  return line
}

/** At each arrival: its bytes, and those that came within `ms` after it. */
function stretches (
  seen: readonly Crossing[], ms: number
): Array<{ at: number, first: number, after: number }> {
  let [end, sum] = [0, 0]
  return seen.map(({ at, bytes: first }) => {
    for (let next = seen[end]; next !== undefined && next.at < at + ms; next = seen[++end]) sum += next.bytes
    sum -= first
    return { at, first, after: sum }
  })
}
