// The agents of the S3 client: every byte that leaves through them waits for its turn (paced-socket.ts).

import http from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import { BodyCount } from './body-count.ts'
import { paceSocket, type Overhead, type Pacing } from './paced-socket.ts'

export interface AgentsOptions extends Pacing {
  /** Connections to one store at a time; more requests wait. */
  readonly maxSockets: number
}

export interface Agents {
  readonly http: http.Agent
  readonly https: https.Agent
  /** All that was handed to the kernel so far: exact for http, an estimate from above for https. */
  sentBytes (): number
  /**
   * What becomes of a body from now on, its parts included, known by the memory that they lie in.
   * Undefined for one that shares its memory with others.
   */
  countBody (body: Buffer): BodyCount | undefined
  /** Closes all connections, those in use too. */
  destroy (): void
}

// An idle connection is closed before the store does it: after 5 s where the store is a node server,
// and a firewall forgets it without a word. A request on a connection that is gone fails as `reset`.
const IDLE_MS = 4_000

// RFC 8446 sections 5.1 and 5.2 and RFC 5288: 22 bytes a record in TLS 1.3, 29 in TLS 1.2 with AES-GCM,
// the larger is charged. The handshake is a ClientHello (1.8 kB where the key share is post-quantum),
// a Finished and the alert at the end.
const TLS: Overhead = { handshakeBytes: 2_000, recordBytes: 29, recordPlaintextBytesMax: 16_384 }

export function createAgents ({ pace, paceBytesMax, maxSockets }: AgentsOptions): Agents {
  let sentBytes = 0
  const bodies = new WeakMap<ArrayBufferLike, BodyCount>()
  const sent = (bytes: number, piece: readonly Buffer[]) => {
    sentBytes += bytes
    for (const { buffer, length } of piece) bodies.get(buffer)?.add(length)
  }
  const held = (piece: readonly Buffer[]) => {
    const counts = piece.map(({ buffer }) => bodies.get(buffer))
    for (const count of counts) count?.hold()
    return () => { for (const count of counts) count?.release() }
  }

  // agent.createConnection is documented as the place to make sockets in another way.
  const paced = <A extends http.Agent>(agent: A, overhead: Overhead | undefined): A => {
    const connect = agent.createConnection.bind(agent)
    agent.createConnection = (options) => {
      const socket = connect(options) as Socket // as documented, unless somebody overrides it
      paceSocket(socket, { pace, paceBytesMax, overhead, sent, held })
      return socket
    }
    return agent
  }

  const options = { keepAlive: true, noDelay: true, timeout: IDLE_MS, maxSockets }
  const agents = {
    http: paced(new http.Agent(options), undefined),
    https: paced(new https.Agent(options), TLS)
  }
  return {
    ...agents,
    sentBytes: () => sentBytes,
    countBody (body) {
      if (body.length < body.buffer.byteLength / 2) return undefined
      const count = new BodyCount()
      bodies.set(body.buffer, count)
      return count
    },
    destroy () {
      agents.http.destroy()
      agents.https.destroy()
    }
  }
}
