import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Entry } from '../entry.ts'
import type { Observe } from '../events.ts'
import { boundCallers } from './callers.ts'
import { DEFAULT_LIMITS, type HttpDeps, type HttpLimits, type HttpOptions } from './deps.ts'
import type { Exchange, Guarded, Method, Route } from './exchange.ts'
import { Gate } from './gate.ts'
import { openLiveStatus, type LiveStatus } from './live-status.ts'
import { Logins } from './logins.ts'
import { problem } from './problem.ts'
import { empty, type Reply } from './reply.ts'
import { createRoutes, matchRoute, OTHER_ROUTE } from './routes.ts'
import { writeReply } from './write-reply.ts'

export interface HttpServer {
  readonly host: string
  readonly port: number
  readonly status: Pick<LiveStatus, 'read'>
  /** Takes no new connection, lets what runs come to its end for a while, then cuts it. */
  close (): Promise<void>
}

/** Rejects with the error of `listen` where the address cannot be had. */
export async function startHttp (deps: HttpDeps, options: HttpOptions): Promise<HttpServer> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const status = openLiveStatus(deps, options)
  let isClosing = false
  const logins = new Logins(limits, (limit, known) => {
    const who = known.kind === 'user' ? known.identity.username : 'the token'
    const detail = limit === 'logins' ? `${limits.loginsMax} logins are there` : `${limits.loginsPerUserMax} logins of it are there, the oldest of them ends`
    deps.observe({ kind: 'http-limit-reached', limit, who, detail })
  })
  const gate = new Gate({ identities: deps.identities, logins }, options)
  const answer = createAnswerer(createRoutes(deps, options, { limits, status, gate, logins }), {
    gate,
    observe: deps.observe,
    limits,
    isLast: () => isClosing || deps.isStopping()
  })
  // requestTimeout would count the time a body waits for its memory; bodies have limits of their own (body.ts).
  const server = createServer({
    ...{ headersTimeout: limits.headMsMax, requestTimeout: 0, keepAliveTimeout: 10_000 },
    connectionsCheckingInterval: Math.min(1_000, limits.headMsMax) // by default it looks every 30 s
  }, answer)
  server.on('checkContinue', answer) // receive.ts asks for the body once there is room for it
  boundCallers(server, deps.observe, limits)
  server.listen(options.port, options.host)
  try {
    await once(server, 'listening')
  } catch (error) {
    status.close()
    throw error
  }
  const { address, port } = server.address() as AddressInfo // no pipe is ever listened on
  return {
    host: address,
    port,
    status,
    async close () {
      isClosing = true
      status.close()
      await closeServer(server, limits)
    }
  }
}

type Answerer = (request: IncomingMessage, response: ServerResponse) => void

interface AnswererDeps {
  readonly gate: Gate
  readonly observe: Observe
  readonly limits: HttpLimits
  /** No further request is to come on any connection. */
  readonly isLast: () => boolean
}

function createAnswerer (routes: readonly Route[], { gate, observe, limits, isLast }: AnswererDeps): Answerer {
  return (request, response) => {
    const startedAt = performance.now()
    const [path = '', search = ''] = splitOnce(request.url ?? '', '?')
    const match = matchRoute(routes, path)
    const gone = new AbortController()
    let acknowledged: Entry | undefined
    response.on('close', () => {
      gone.abort()
      const code = response.headersSent ? response.statusCode : GONE
      const seconds = (performance.now() - startedAt) / 1000
      const entry = response.writableFinished ? acknowledged : undefined
      observe({ kind: 'http-request', route: match?.route.path ?? OTHER_ROUTE, code, seconds, entry })
    })
    const exchange = {
      request, response, path, query: new URLSearchParams(search), id: match?.id ?? '', gone: gone.signal
    }
    void reply(match?.route, exchange, gate).then((reply) => { // never rejects
      const code = REFUSALS[reply?.status ?? 0]
      if (code !== undefined) {
        const [remote, detail] = [request.socket.remoteAddress ?? '', reply?.detail ?? '']
        observe({ kind: 'caller-refused', code, remote, route: `${request.method} ${match?.route.path ?? OTHER_ROUTE}`, detail })
      }
      if (isLast()) response.shouldKeepAlive = false
      acknowledged = reply?.acknowledged
      if (reply !== undefined) writeReply(exchange, reply, limits)
    })
  }
}

const REFUSALS: Readonly<Record<number, 'not_authorized' | 'forbidden' | 'crowded'>> =
  { 401: 'not_authorized', 403: 'forbidden', 429: 'crowded' }

/** Nobody was there to be answered; nginx's number for it. */
const GONE = 499

async function reply (
  route: Route | undefined, exchange: Omit<Exchange, 'who'>, gate: Gate
): Promise<Reply | undefined> {
  const { request, path, gone } = exchange
  if (route === undefined) {
    return problem('not_found', `there is no ${JSON.stringify(path.slice(0, 200))}`, { hint: 'The status page is at /.' })
  }
  const allow = allowedMethods(route)
  if (request.method === 'OPTIONS') return empty(204, { allow })
  const guarded = findGuarded(route, request.method)
  if (guarded === undefined) {
    return problem('method_not_allowed', `${request.method} cannot be done to ${route.path}`, {
      hint: `It takes ${allow}.`, headers: { allow }
    })
  }
  try {
    const admitted = await gate.admit(request, guarded.need, () => gone.aborted)
    if (admitted.kind === 'refused') return admitted.reply
    return await guarded.handler({ ...exchange, who: admitted.who })
  } catch (error) {
    // A reading of the disk that failed, most likely. One answer fails, and devices are served on.
    return problem('fault', (error as Error).message, { hint: 'See the log, and /api/v1/status.' })
  }
}

function findGuarded ({ methods }: Route, method: string | undefined): Guarded | undefined {
  return methods[(method === 'HEAD' ? 'GET' : method) as Method] // undefined for what is no Method
}

function allowedMethods ({ methods }: Route): string {
  return [...Object.keys(methods), ...methods.GET === undefined ? [] : ['HEAD'], 'OPTIONS'].join(', ')
}

async function closeServer (server: Server, { closeMsMax }: HttpLimits): Promise<void> {
  const cut = setTimeout(() => { server.closeAllConnections() }, closeMsMax)
  const closed = once(server, 'close')
  server.close()
  await closed
  clearTimeout(cut)
}

function splitOnce (text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
