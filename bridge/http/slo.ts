import { isMonth } from '../slo/month.ts'
import { monthOf } from '../slo/hour.ts'
import type { HttpDeps } from './deps.ts'
import type { Handler } from './exchange.ts'
import { problem } from './problem.ts'
import { json } from './reply.ts'

/** `GET /api/v1/slo?month=2026-11`; without a month the one that runs, UTC. */
export function createSloHandler ({ slo, spool }: Pick<HttpDeps, 'slo' | 'spool'>): Handler {
  return async ({ query }) => {
    const month = query.get('month') ?? monthOf(Date.now())
    if (!isMonth(month)) {
      return problem('bad_query', `month is ${JSON.stringify(month.slice(0, 100))}`, { hint: 'Write it like 2026-11.' })
    }
    const { waiting, failed, dropped } = spool.ledger
    return json(200, await slo.describe(month, waiting + failed + dropped))
  }
}
