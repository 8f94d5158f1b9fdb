import type { HttpDeps } from './deps.ts'
import { problem } from './problem.ts'
import { text, type Reply } from './reply.ts'

/** The event loop answers, and that is all it says: what a restart would cure, and nothing else. */
export function livez (): Reply {
  return text(200, 'alive\n')
}

/** Devices can be served. The store has no say in it: with S3 down images are taken as ever. */
export function readyz ({ spool, isStopping }: Pick<HttpDeps, 'spool' | 'isStopping'>): Reply {
  const { paused } = spool.levels
  const stopping = isStopping() ? [{ reason: 'shutdown' as const, detail: 'the service is shutting down' }] : []
  const reasons = [...stopping, ...paused === undefined ? [] : [paused]]
  const [first] = reasons
  if (first === undefined) return text(200, 'ready\n')
  return problem(first.reason, first.detail, { members: { reasons }, headers: { 'retry-after': '5' } })
}
