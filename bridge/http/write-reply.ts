import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Reply } from './reply.ts'

/** Nothing here is to be framed, guessed at, or fetched into a page of somebody else's. */
const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'"
}

const LINGER_MS_MAX = 2000
const LINGER_BYTES_MAX = 1024 * 1024

export function writeReply (request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  if (response.destroyed) return
  const { status, headers, body } = reply
  const length = status === 204 || status === 304 ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const unread = !request.complete && hasBody(request)
  const close = unread ? { connection: 'close' } : {}
  response.writeHead(status, { ...SECURITY_HEADERS, ...headers, ...length, ...close })
  if (!unread) response.end(body)
  else linger(request, response, body)
}

function hasBody ({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/**
 * An answer that comes before its request has ended. Closing at once would make the kernel reset the
 * connection as soon as more of the body arrives, and the reset may overtake the answer (RFC 9112, 9.6);
 * so the answer goes out whole, and what still comes is thrown away for a while before the end.
 */
function linger (request: IncomingMessage, response: ServerResponse, body: string | Buffer): void {
  response.write(body)
  let bytes = 0
  const end = (): void => {
    clearTimeout(timer)
    request.off('data', onData)
    response.end()
  }
  const onData = (piece: Buffer): void => {
    bytes += piece.length
    if (bytes > LINGER_BYTES_MAX) end()
  }
  const timer = setTimeout(end, LINGER_MS_MAX)
  request.on('data', onData).on('end', end).on('close', end)
  request.resume() // whoever read of it has paused it
}
