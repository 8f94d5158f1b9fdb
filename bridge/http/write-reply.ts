import type { IncomingMessage } from 'node:http'
import type { HttpLimits } from './deps.ts'
import type { Exchange } from './exchange.ts'
import type { Reply } from './reply.ts'

/** Nothing here is to be framed, guessed at, or fetched into a page of somebody else's. */
const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'"
}

const LINGER_BYTES_MAX = 1024 * 1024

type LingerLimits = Pick<HttpLimits, 'lingerMsMax'>

export function writeReply (
  { request, response }: Pick<Exchange, 'request' | 'response'>, reply: Reply, limits: LingerLimits
): void {
  if (response.destroyed) return
  const { status, headers, body } = reply
  const length = status === 204 || status === 304 ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const unread = !request.complete && hasBody(request)
  const close = unread ? { connection: 'close' } : {}
  response.writeHead(status, { ...SECURITY_HEADERS, ...headers, ...length, ...close })
  if (!unread) {
    response.end(body)
    return
  }
  response.write(body)
  linger(request, limits, () => { response.end() })
}

function hasBody ({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/**
 * After an answer that came before its request has ended. Closing at once would make the kernel reset the
 * connection as soon as more of the body arrives, and the reset may overtake the answer (RFC 9112, 9.6);
 * so what still comes is thrown away for a while.
 */
function linger (request: IncomingMessage, { lingerMsMax }: LingerLimits, onEnd: () => void): void {
  let bytes = 0
  const end = (): void => {
    clearTimeout(timer)
    request.off('data', onData).off('end', end).off('close', end)
    onEnd()
  }
  const onData = (piece: Buffer): void => {
    bytes += piece.length
    if (bytes > LINGER_BYTES_MAX) end()
  }
  const timer = setTimeout(end, lingerMsMax)
  request.on('data', onData).on('end', end).on('close', end)
  request.resume() // whoever read of it has paused it
}
