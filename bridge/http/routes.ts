import { createContentHandler } from './content.ts'
import type { HttpDeps, HttpLimits, HttpOptions } from './deps.ts'
import type { Guarded, Handler, Route } from './exchange.ts'
import type { Gate } from './gate.ts'
import { livez, readyz } from './health.ts'
import { createImageHandlers } from './images.ts'
import type { LiveStatus } from './live-status.ts'
import { createLoginHandlers } from './login.ts'
import type { Logins } from './logins.ts'
import { createManyHandlers } from './many-images.ts'
import { createPageHandler } from './page.ts'
import { createPrioritizer } from './prioritize.ts'
import { createReceiver } from './receive.ts'
import { json, text } from './reply.ts'
import { createSloHandler } from './slo.ts'
import { createUplinkHandlers } from './uplink.ts'

export interface RouteParts {
  readonly limits: HttpLimits
  readonly status: LiveStatus
  readonly gate: Gate
  readonly logins: Logins
}

/** Everything that can be asked for, for whom, and what answers; the first that fits. */
export function createRoutes (
  deps: HttpDeps, options: HttpOptions, { limits, status, gate, logins }: RouteParts
): readonly Route[] {
  const images = createImageHandlers(deps, status)
  const many = createManyHandlers(deps, limits)
  const receive = sender(createReceiver(deps, { ...options, gate }, limits))
  const uplink = createUplinkHandlers(deps, limits)
  const { show, login, logout } = createLoginHandlers(gate, logins, limits)
  return [
    { path: '/', methods: { GET: viewer(createPageHandler(deps, options, status)), POST: receive } },
    { path: '/login', methods: { GET: open(show), POST: open(login), DELETE: open(logout) } },
    { path: '/livez', methods: { GET: open(livez) } },
    { path: '/readyz', methods: { GET: open(() => readyz(deps)) } },
    // Numbers alone: no device, topic or address is in them.
    {
      path: '/metrics',
      methods: {
        GET: open(async () => text(200, await deps.metrics.text(), { 'content-type': deps.metrics.contentType }))
      }
    },
    { path: '/list', methods: { GET: viewer(images.listNames) } },
    { path: '/api/v1/status', methods: { GET: viewer(() => json(200, status.read())) } },
    { path: '/api/v1/slo', methods: { GET: viewer(createSloHandler(deps)) } },
    { path: '/api/v1/images', methods: { GET: viewer(images.list), POST: receive, DELETE: operator(many.drop) } },
    { path: '/api/v1/images/retry', methods: { POST: operator(many.retry) } },
    { path: '/api/v1/images/{id}', methods: { GET: viewer(images.show), DELETE: operator(images.drop) } },
    { path: '/api/v1/images/{id}/content', methods: { GET: viewer(createContentHandler(deps, limits)) } },
    { path: '/api/v1/images/{id}/retry', methods: { POST: operator(images.retry) } },
    { path: '/api/v1/images/{id}/prioritize', methods: { POST: operator(createPrioritizer(deps)) } },
    { path: '/api/v1/uplink', methods: { GET: viewer(uplink.show) } },
    { path: '/api/v1/uplink/limits', methods: { PATCH: operator(uplink.limit) } },
    { path: '/api/v1/uplink/pause', methods: { POST: operator(uplink.pause) } },
    { path: '/api/v1/uplink/resume', methods: { POST: operator(uplink.resume) } }
  ]
}

const open = (handler: Handler): Guarded => ({ need: 'nothing', handler })
const sender = (handler: Handler): Guarded => ({ need: 'sender', handler })
const viewer = (handler: Handler): Guarded => ({ need: 'viewer', handler })
const operator = (handler: Handler): Guarded => ({ need: 'operator', handler })

/** What requests that fit no route are counted as: a path is never a label. */
export const OTHER_ROUTE = 'other'

export interface Match {
  readonly route: Route
  readonly id: string
}

export function matchRoute (routes: readonly Route[], path: string): Match | undefined {
  const segments = path.split('/')
  for (const route of routes) {
    const wanted = route.path.split('/')
    if (wanted.length !== segments.length) continue
    if (!wanted.every((word, i) => word === segments[i] || word === '{id}')) continue
    const id = decodeSegment(segments[wanted.indexOf('{id}')] ?? '')
    return id === undefined ? undefined : { route, id }
  }
  return undefined
}

function decodeSegment (segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined // a percent sign that encodes nothing
  }
}
