import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Line } from './faults.ts'
import { createLock } from './lock.ts'

export interface ListenOptions {
  readonly host: string
  /** 0 takes any free one and keeps it. */
  readonly port: number
  readonly connectionsMax: number
  /** A connection on which nothing moves for so long is closed. */
  readonly idleMsMax: number
  /** How long running requests may take once the store is closing. */
  readonly closeMsMax: number
}

/** An HTTP server that can stop listening and come back on its port, and that knows what its sockets read. */
export class Listener implements Line {
  readonly #options: ListenOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Going down and coming back take turns. */
  readonly #lock = createLock()
  #port: number
  #isClosed = false
  #closedSocketBytes = 0

  constructor (options: ListenOptions, handle: (request: IncomingMessage, response: ServerResponse) => void) {
    this.#options = options
    this.#port = options.port
    this.#server = createServer({ requestTimeout: 0 }, handle)
    this.#server.timeout = options.idleMsMax
    this.#server.keepAliveTimeout = options.idleMsMax
    this.#server.maxConnections = options.connectionsMax
    // With this listener, node:http leaves `100 Continue` to us: it is said when the body is wanted.
    this.#server.on('checkContinue', handle)
    this.#server.on('connection', (socket: Socket) => { this.#admit(socket) })
  }

  get port (): number { return this.#port }

  async listen (): Promise<void> {
    this.#server.listen(this.#port, this.#options.host)
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port // a TCP server's address is never a string
  }

  async setListening (listening: boolean): Promise<void> {
    await this.#lock('listening', async () => {
      if (listening === this.#server.listening || this.#isClosed) return
      if (listening) return await this.listen()
      const closed = once(this.#server, 'close')
      this.#server.close()
      for (const socket of this.#sockets) socket.resetAndDestroy()
      await closed
    })
  }

  socketBytes (): number {
    return [...this.#sockets].reduce((sum, { bytesRead }) => sum + bytesRead, this.#closedSocketBytes)
  }

  /** Lets running requests end, for a bounded time. */
  async close (): Promise<void> {
    this.#isClosed = true
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    const deadline = setTimeout(() => { this.#server.closeAllConnections() }, this.#options.closeMsMax)
    await closed
    clearTimeout(deadline)
  }

  #admit (socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#closedSocketBytes += socket.bytesRead
    })
  }
}
