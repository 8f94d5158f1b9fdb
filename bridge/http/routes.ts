import { createContentHandler } from './content.ts'
import type { HttpDeps, HttpLimits, HttpOptions } from './deps.ts'
import type { Route } from './exchange.ts'
import { livez, readyz } from './health.ts'
import { createImageHandlers } from './images.ts'
import type { LiveStatus } from './live-status.ts'
import { createManyHandlers } from './many-images.ts'
import { createPageHandler } from './page.ts'
import { createPrioritizer } from './prioritize.ts'
import { createReceiver } from './receive.ts'
import { json, text } from './reply.ts'
import { createSloHandler } from './slo.ts'
import { createUplinkHandlers } from './uplink.ts'

/** Everything that can be asked for, and what answers; the first that fits. */
export function createRoutes (deps: HttpDeps, options: HttpOptions, { limits, status }: {
  readonly limits: HttpLimits
  readonly status: LiveStatus
}): readonly Route[] {
  const images = createImageHandlers(deps, status, options.token)
  const many = createManyHandlers(deps, options.token, limits)
  const content = createContentHandler(deps, limits)
  const receive = createReceiver(deps, options, limits)
  const uplink = createUplinkHandlers(deps, options.token, limits)
  const page = createPageHandler(deps, options, status)
  return [
    { path: '/', methods: { GET: page, POST: receive } },
    { path: '/livez', methods: { GET: livez } },
    { path: '/readyz', methods: { GET: () => readyz(deps) } },
    {
      path: '/metrics',
      methods: {
        GET: async () => text(200, await deps.metrics.text(), { 'content-type': deps.metrics.contentType })
      }
    },
    { path: '/list', methods: { GET: images.listNames } },
    { path: '/api/v1/status', methods: { GET: () => json(200, status.read()) } },
    { path: '/api/v1/slo', methods: { GET: createSloHandler(deps) } },
    { path: '/api/v1/images', methods: { GET: images.list, POST: receive, DELETE: many.drop } },
    { path: '/api/v1/images/retry', methods: { POST: many.retry } },
    { path: '/api/v1/images/{id}', methods: { GET: images.show, DELETE: images.drop } },
    { path: '/api/v1/images/{id}/content', methods: { GET: content } },
    { path: '/api/v1/images/{id}/retry', methods: { POST: images.retry } },
    { path: '/api/v1/uplink', methods: { GET: uplink.show } },
    { path: '/api/v1/uplink/limits', methods: { PATCH: uplink.limit } },
    { path: '/api/v1/uplink/pause', methods: { POST: uplink.pause } },
    { path: '/api/v1/uplink/resume', methods: { POST: uplink.resume } },
    { path: '/api/v1/images/{id}/prioritize', methods: { POST: createPrioritizer(deps, options.token) } }
  ]
}

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
