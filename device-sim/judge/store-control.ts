// The faults of a store that can be turned (`npm run simulate -- store`): PUT /faults with a JSON object.

import { SimulatorError } from '../errors.ts'
import type { Knobs } from '../scenario/schema.ts'

export interface StoreControl {
  /** What is not given stays as it is. */
  set (knobs: Knobs): Promise<void>
  /** As good as it gets. */
  clear (): Promise<void>
}

const TIMEOUT_MS = 5000

export function createStoreControl (url: string): StoreControl {
  const put = async (faults: object): Promise<void> => {
    const response = await fetch(`${url}/faults`, {
      method: 'PUT', body: JSON.stringify(faults), signal: AbortSignal.timeout(TIMEOUT_MS)
    }).catch((cause: unknown) => {
      throw new SimulatorError('UNAVAILABLE', `the store's control at ${url} does not answer (${String(cause)}); is \`simulate store\` still running?`)
    })
    if (!response.ok) throw new SimulatorError('UNAVAILABLE', `the store's control at ${url} refused: ${await response.text()}`)
  }
  return {
    set: async ({ rate, latency, errors, outage }) => {
      await put({
        ...(rate !== undefined && { bytesPerSecond: rate === Infinity ? null : rate }),
        ...(latency !== undefined && { latencyMs: latency }),
        ...(errors !== undefined && { errorRate: errors }),
        ...(outage !== undefined && { outage })
      })
    },
    clear: async () => { await put({ bytesPerSecond: null, latencyMs: 0, errorRate: 0, outage: false, stall: false }) }
  }
}
