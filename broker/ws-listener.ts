import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { createWebSocketStream, WebSocketServer, type WebSocket } from 'ws'
import { isLoopback } from './admission.ts'
import type { BrokerEvent } from './events.ts'
import { peerOf, tlsOptions, type TlsKeys, type Certificate } from './tls-listener.ts'

export interface WsDeps {
  readonly observe: (event: BrokerEvent) => void
  readonly accept: (opened: OpenedWs) => void
}

export interface OpenedWs {
  /** What the guard uses of one: what every Duplex has, where it comes from, and how much has come. */
  readonly socket: Socket
  /** What the messages come over. */
  readonly transport: Socket
  readonly messages: Messages
  readonly certificate: Certificate | undefined
}

/** How long a message may be: a CONNECT at first, a packet once it is known who sends it. */
export interface Messages {
  widen (): void
  /** Called where one was longer, so that the connection ends. */
  onTooLong?: (bytesMax: number) => void
}

export interface WsLimits {
  readonly connectBytesMax: number
  readonly packetBytesMax: number
}

const PROTOCOL = 'mqtt'

/**
 * MQTT over WebSocket (MQTT 3.1.1, section 6), over TLS where there are keys. It does not listen: it is given
 * connections.
 */
export function createWsServer (
  keys: TlsKeys | undefined, { observe, accept }: WsDeps, limits: WsLimits
): Server | SecureServer {
  const answer = (_request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(426, { upgrade: 'websocket', connection: 'close' }).end('This port speaks MQTT over WebSocket.\n')
  }
  const server = keys === undefined ? createServer(answer) : createSecureServer(tlsOptions(keys), answer)
  // Compressed, a few bytes could become many; and a message may be no longer than a packet.
  const sockets = new WebSocketServer({
    ...{ noServer: true, perMessageDeflate: false, clientTracking: false },
    ...{ maxPayload: limits.connectBytesMax, handleProtocols: () => PROTOCOL }
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const refuse = (status: string, detail: string): void => {
      observe({ kind: 'connect-refused', result: 'unsupported_protocol', remote: request.socket.remoteAddress ?? '', detail })
      // Destroyed, or a peer that does not hang up would be refused again for being late.
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => { socket.destroy() })
    }
    socket.on('error', () => {}) // a lost connection is no error of the protocol
    const peer = keys?.clientCa === undefined ? undefined : peerOf(request.socket as TLSSocket)
    if (peer !== undefined && 'why' in peer) return refuse('403 Forbidden', `its certificate ${peer.why}`)
    const offered = request.headers['sec-websocket-protocol']?.split(',').map((one) => one.trim()) ?? []
    if (!offered.includes(PROTOCOL)) return refuse('400 Bad Request', 'it offers no subprotocol mqtt [MQTT-6.0.0-3]')
    sockets.handleUpgrade(request, socket, head, (opened) => {
      accept({ ...toSocket(opened, request, limits), transport: request.socket, certificate: peer })
    })
  })
  return server
}

/** A stream of the bytes of all messages: packets may fall into them in any way [MQTT-6.0.0-2]. */
function toSocket (opened: WebSocket, request: IncomingMessage, { packetBytesMax }: WsLimits): Pick<OpenedWs, 'socket' | 'messages'> {
  // `_maxPayload` is not documented: the longest message there may be. It is kept in memory until it is whole.
  const { _receiver: receiver } = opened as unknown as { readonly _receiver: { _maxPayload: number } }
  const messages: Messages = { widen () { receiver._maxPayload = packetBytesMax + 5 } }
  opened.on('message', (_data, isBinary) => {
    if (!isBinary) opened.terminate() // [MQTT-6.0.0-1]
  })
  opened.on('error', (error) => {
    if ('code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') messages.onTooLong?.(receiver._maxPayload)
  })
  const stream = createWebSocketStream(opened, { readableHighWaterMark: 16 * 1024, allowHalfOpen: false })
  Object.defineProperty(stream, 'bytesRead', { get: () => request.socket.bytesRead })
  return { socket: Object.assign(stream, { remoteAddress: originOf(request) }) as unknown as Socket, messages }
}

/**
 * Where it comes from: the peer's address. A page that a browser on this machine shows may come from anywhere, and a
 * proxy speaks for anybody, so that they do not count as this machine.
 */
function originOf ({ headers, socket: { remoteAddress = '' } }: IncomingMessage): string {
  if (!isLoopback(remoteAddress)) return remoteAddress
  const { origin, host = '' } = headers
  if (headers.forwarded !== undefined || headers['x-forwarded-for'] !== undefined) return `${remoteAddress} for somebody else`
  const named = hostOf(`http://${host}`)
  if (!isLoopback(named)) return `${remoteAddress} by the name ${named}`
  return origin === undefined || hostOf(origin) === named ? remoteAddress : `${remoteAddress} for a page of ${hostOf(origin)}`
}

function hostOf (url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, '$1').slice(0, 200) : '?'
}
