// A socket whose bytes wait for their turn before the kernel gets them. What an HTTP client puts on
// the wire is more than bodies: request lines, headers, retries, probes, bodies cut off half-way.
// Charged here, at the only way out, all of it counts by construction and nothing has to be guessed.
//
// The socket stays node's own, so that time-outs, keep alive and TLS work as documented. Only the
// implementer's half of the Writable contract is wrapped (`_write` and `_writev`, see "Implementing
// a writable stream" in node's documentation). Writable calls neither again before `done`, so the
// pieces below leave in order, and what is written meanwhile is held back as on any full socket.

import type { Socket } from 'node:net'

export interface Pacing {
  /**
   * Resolves when so many more bytes may leave; false where they may not, and are to be asked for in smaller pieces.
   * Settles at once, either way, when the signal aborts.
   */
  readonly pace: (bytes: number, signal?: AbortSignal) => Promise<boolean | void>
  /** The most that one call of `pace` may ask for at present; below 1 it is asked for single bytes. */
  readonly paceBytesMax: () => number
}

/** An estimate of what TLS sends beyond the plaintext. */
export interface Overhead {
  readonly handshakeBytes: number
  readonly recordBytes: number
  readonly recordPlaintextBytesMax: number
}

export interface PacedSocketOptions extends Pacing {
  /** Undefined where bytes leave as they are written. */
  readonly overhead: Overhead | undefined
  /** Told how many bytes the kernel is given, each time, and of what; nothing of what in a handshake. */
  readonly sent: (bytes: number, piece: readonly Buffer[]) => void
  /** Told of a piece that begins to wait for its turn; what it gives is called once the piece waits no longer. */
  readonly held: (piece: readonly Buffer[]) => () => void
}

// How often a socket that waits for its turn is kept from looking silent; every time-out is longer.
const AWAKE_MS = 100

const CLOSED = new Error('the connection was closed before its turn came')

/** Wraps a socket that has just been created and is not connected yet. */
export function paceSocket (socket: Socket, options: PacedSocketOptions): void {
  const { pace, overhead, sent, held } = options
  const turnBytesMax = () => Math.max(1, options.paceBytesMax())
  const writeOut = kernelWrite(socket)

  const happened = (event: 'connect' | 'secureConnect') => new Promise<void>((resolve) => {
    socket.once(event, resolve)
    socket.once('close', resolve)
  })

  /** False where nothing was taken, because the line has become thinner and `bytes` can be cut smaller. */
  const takeTurn = async (bytes: number, canBeCut: boolean, piece: readonly Buffer[] = []) => {
    // A signal of its own, so that what a pacer hangs on it is gone after the turn.
    const gone = new AbortController()
    const stop = () => gone.abort(CLOSED)
    socket.once('close', stop)
    const release = held(piece)
    // Waiting here is our own doing and says nothing about the store: socket.setTimeout must not see it.
    const awake = setInterval(() => socket.setTimeout(socket.timeout ?? 0), AWAKE_MS).unref()
    try {
      for (let rest = bytes; rest > 0;) {
        if (socket.destroyed) throw CLOSED
        const turn = Math.min(rest, turnBytesMax())
        const isGiven = await pace(turn, gone.signal) !== false
        if (!isGiven && canBeCut && rest === bytes) return false
        if (isGiven) rest -= turn
      }
    } finally {
      clearInterval(awake)
      release()
      socket.off('close', stop)
    }
    if (socket.destroyed) throw CLOSED
    sent(bytes, piece)
    return true
  }

  // A connection that is refused is charged nothing, a handshake that fails is charged all the same.
  const connected = happened('connect')
  const opened = overhead === undefined
    ? connected
    : Promise.all([connected.then(() => takeTurn(overhead.handshakeBytes, false)), happened('secureConnect')])
  opened.catch(() => {}) // whoever writes next is told

  const send = async (chunks: readonly Buffer[]): Promise<void> => {
    await opened
    for (const piece of pieces(chunks, () => plaintextBytesMax(turnBytesMax(), overhead))) {
      if (await takeTurn(wireBytes(piece, overhead), true, piece)) await writeOut(piece)
      else await send(piece)
    }
  }

  socket._write = (chunk: Buffer | string, encoding, done) => {
    send([toBuffer({ chunk, encoding })]).then(() => done(), done)
  }
  socket._writev = (chunks, done) => {
    send(chunks.map(toBuffer)).then(() => done(), done)
  }
}

/** Cuts buffers into pieces of at most `bytesMax()` bytes each, asked anew for each, without copying. */
export function * pieces (buffers: readonly Buffer[], bytesMax: () => number): Generator<Buffer[]> {
  let piece: Buffer[] = []
  let room = bytesMax()
  for (const buffer of buffers) {
    let rest = buffer
    while (rest.length > room) {
      yield [...piece, rest.subarray(0, room)].filter(({ length }) => length > 0)
      rest = rest.subarray(room)
      piece = []
      room = bytesMax()
    }
    if (rest.length > 0) piece.push(rest)
    room -= rest.length
  }
  if (piece.length > 0) yield piece
}

function wireBytes (piece: readonly Buffer[], overhead: Overhead | undefined): number {
  const bytes = piece.reduce((sum, { length }) => sum + length, 0)
  if (overhead === undefined) return bytes
  return bytes + Math.ceil(bytes / overhead.recordPlaintextBytesMax) * overhead.recordBytes
}

// At least 1, so that a send ends however small the turns are.
function plaintextBytesMax (bytesMax: number, overhead: Overhead | undefined): number {
  if (overhead === undefined) return bytesMax
  return Math.max(1, bytesMax - Math.ceil(bytesMax / overhead.recordPlaintextBytesMax) * overhead.recordBytes)
}

// Sockets do not decode strings before `_write`, so the header of a request arrives as one.
function toBuffer ({ chunk, encoding }: { chunk: Buffer | string, encoding: BufferEncoding }): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk
}

/** The socket's own way to the kernel. Resolves once the kernel has taken the whole piece. */
function kernelWrite (socket: Socket): (piece: readonly Buffer[]) => Promise<void> {
  const write = socket._write.bind(socket)
  const writev = socket._writev?.bind(socket)
  // Writable's word for a chunk that is no string; the types know string encodings only.
  const encoding = 'buffer' as BufferEncoding
  return (piece) => new Promise((resolve, reject) => {
    const done = (error?: Error | null) => error == null ? resolve() : reject(error)
    const [first] = piece
    if (piece.length === 1 || writev === undefined) write(first, encoding, done)
    else writev(piece.map((chunk) => ({ chunk, encoding })), done)
  })
}
