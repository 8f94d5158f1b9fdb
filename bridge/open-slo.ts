import type { Config } from './config/config.ts'
import type { Observe } from './events.ts'
import { Slo } from './slo/slo.ts'
import type { Spool } from './spool/spool.ts'
import type { Limits } from './uplink/limits.ts'
import type { Uplink } from './uplink/uplink.ts'

interface Line {
  readonly uplink: Pick<Uplink, 'levels'>
  readonly limits: Pick<Limits, 'inForce'>
}

/**
 * Before there is an uplink, and before the spool forgets what left long ago: what came to its deadline while the
 * service was not running is judged by then. `follow` shows it the uplink.
 */
export async function openSlo (
  { dataDir, slo }: Config, spool: Spool, observe: Observe
): Promise<{ readonly slo: Slo, follow (line: Line): void }> {
  let followed: Line | undefined
  const conditions = (): ReturnType<Parameters<typeof Slo.open>[0]['conditions']> => {
    const { paused, oldestReceivedAt } = spool.levels
    return {
      accepting: paused === undefined,
      storeAway: followed?.uplink.levels.state.kind === 'down',
      paused: followed?.limits.inForce.paused !== undefined,
      oldestReceivedAt
    }
  }
  const opened = await Slo.open({ acceptance: spool.acceptance, conditions, observe }, { dataDir, ...slo })
  return { slo: opened, follow (line) { followed = line } }
}
