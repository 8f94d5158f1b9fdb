import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { randomUUID } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import type { Answer, Store } from './call.ts'
import { isErrno, isRefusal, refusal, type Refusal } from './errors.ts'
import type { FaultPlan } from './faults.ts'
import { perform, readOperation } from './operations.ts'
import { RequestBody } from './request-body.ts'
import { authenticate, type Authority } from './sigv4.ts'
import { readTarget, type Target } from './target.ts'
import { formatErrorXml } from './xml.ts'

export interface HandlerDeps {
  readonly store: Store
  readonly faults: FaultPlan
  readonly authority: Authority
  /** Told of what is the store's own fault: a full disk, a failed sync, a bug. */
  readonly onFault: (cause: Error) => void
}

/** What is read of a refused request's body so that its sender sees the refusal and not a reset. */
const drainBytesMax = 16 * 1024 * 1024

/** One request from its head to its answer. Never rejects. */
export async function handle (deps: HandlerDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = new RequestBody(request, response, deps.faults)
  try {
    await deps.faults.admit(response)
    const answer = await answerTo(deps, request, body)
    if (!await body.drain(drainBytesMax)) response.shouldKeepAlive = false
    if (deps.faults.reset === 'answer') request.socket.resetAndDestroy()
    await send(answer, request, response)
  } catch (cause) {
    if (!response.destroyed && !isGone(cause)) deps.onFault(asError(cause))
    response.destroy() // the answer has begun, or nobody waits for one
  }
}

/** Rejects only where the client is gone. */
async function answerTo (deps: HandlerDeps, request: IncomingMessage, body: RequestBody): Promise<Answer> {
  try {
    deps.faults.admitRequest()
    return await carryOut(deps, request, body)
  } catch (error) {
    if (isGone(error)) throw error
    if (isRefusal(error)) return errorAnswer(error, request)
    deps.onFault(asError(error))
    return errorAnswer(ownFault(error), request)
  }
}

async function carryOut (deps: HandlerDeps, request: IncomingMessage, body: RequestBody): Promise<Answer> {
  const { method = '', url = '' } = request
  const target = readTarget(url)
  const { path, query } = target
  const headers = withHoisted(request.headers, target)
  const head = { method, path, query, headers: request.headers, headerValues: request.headersDistinct }
  const payload = authenticate(head, deps.authority, Date.now())
  if (target.key !== undefined && method === 'PUT') deps.faults.admitPut(target.key)
  const operation = readOperation(method, target, headers)
  return await perform(operation, target, deps.store, { query: new Map(query), headers, payload, body })
}

/** A presigned URL may carry x-amz-* headers in its query, where they are signed as well. */
function withHoisted (headers: IncomingHttpHeaders, { query }: Target): IncomingHttpHeaders {
  const hoisted = query.filter(([name]) => /^x-amz-(meta|checksum|acl|metadata|copy|storage)/i.test(name))
    .map(([name, value]) => [name.toLowerCase(), Buffer.from(value).toString('latin1')])
  return { ...Object.fromEntries(hoisted), ...headers }
}

function isGone (error: unknown): boolean {
  return isErrno(error, 'ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE')
}

function asError (cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause))
}

function ownFault (error: unknown): Refusal {
  if (isErrno(error, 'ENAMETOOLONG')) return refusal('KeyTooLongError', 'the key is too long for the path of a file')
  if (isErrno(error, 'ENOSPC', 'EDQUOT')) return refusal('ServiceUnavailable', 'the store has no space left; please try again')
  return refusal('InternalError', 'we encountered an internal error; please try again')
}

function errorAnswer ({ status, code, message, headers }: Refusal, request: IncomingMessage): Answer {
  const requestId = randomUUID()
  // s3cmd learns its region from the document (its S3.py, AuthorizationHeaderMalformed), SDKs from the header.
  const region = headers['x-amz-bucket-region']
  const content = { Code: code, Message: message, Region: region, Resource: request.url ?? '', RequestId: requestId }
  return {
    status,
    headers: { ...headers, 'content-type': 'application/xml', 'x-amz-request-id': requestId },
    body: formatErrorXml(content)
  }
}

async function send (
  { status, headers, body }: Answer, request: IncomingMessage, response: ServerResponse
): Promise<void> {
  const text = typeof body === 'object' ? undefined : Buffer.from(body ?? '')
  // An answer to HEAD has the length of what GET would send, and 204 and 304 have none (RFC 9110, section 8.6).
  const length = text === undefined || status === 204 || status === 304 ? {} : { 'content-length': text.length }
  response.writeHead(status, { 'x-amz-request-id': randomUUID(), ...length, ...headers })
  if (typeof body === 'object') return await pipeline(body, response)
  response.end(request.method === 'HEAD' ? undefined : text)
}
