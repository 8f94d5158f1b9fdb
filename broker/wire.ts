import { Socket } from 'node:net'

export interface WireReader {
  /** Where the next bytes are put; asked for before each read. Never empty. */
  room (): Buffer
  /** So many bytes were put there. False: no more until `resume`. */
  received (bytes: number): boolean
}

/**
 * The receiving end of a connection, which reads into memory of the reader's choice: a socket of node:net makes a
 * fresh buffer of 64 kB for every read, and the garbage of a thousand images a second costs more than the reading.
 */
export class Wire {
  /** To write to, to end and to listen to; nothing else may read from it. */
  readonly socket: Socket
  readonly #resume: () => void

  constructor (accepted: Socket, reader: WireReader) {
    const direct = takeOver(accepted, reader)
    this.socket = direct ?? accepted
    this.#resume = direct === undefined ? copyingFrom(accepted, reader) : () => { direct.resume() }
  }

  /** Reads until `received` says no. Calls it in a later tick. */
  resume (): void { this.#resume() }
}

interface SocketOptions {
  readonly handle: unknown
  readonly onread: { readonly buffer: () => Buffer, readonly callback: (bytes: number) => boolean }
  readonly pauseOnCreate: true
}

// `onread` of net.Socket reads into given memory, and a server cannot ask for it. So its socket's handle is given to
// a new socket: `_handle` and `handle` are not documented, and node:net itself uses both. Where a socket has no such
// handle of its own (TLS, a pipe), the bytes are copied.
function takeOver (accepted: Socket, { room, received }: WireReader): Socket | undefined {
  const holder = accepted as unknown as { _handle: { useUserBuffer?: unknown, constructor: { name: string } } | null }
  const handle = holder._handle
  if (handle?.constructor.name !== 'TCP' || handle.useUserBuffer === undefined) return undefined
  holder._handle = null
  accepted.destroy()
  const options: SocketOptions = { handle, onread: { buffer: room, callback: received }, pauseOnCreate: true }
  return new Socket(options as object) // the types know no handle
}

function copyingFrom (socket: Socket, { room, received }: WireReader): () => void {
  let isReading = false
  let rest: Buffer | undefined
  const read = (): void => {
    while (isReading && !socket.destroyed) {
      const chunk = rest ?? socket.read() as Buffer | null // no encoding is set
      if (chunk === null) return
      const target = room()
      const copied = chunk.copy(target)
      rest = copied < chunk.length ? chunk.subarray(copied) : undefined
      isReading = received(copied)
    }
  }
  socket.on('readable', read)
  return () => {
    if (isReading) return
    isReading = true
    setImmediate(read)
  }
}
