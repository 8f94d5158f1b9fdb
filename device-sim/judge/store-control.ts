// The faults of a store that can be turned (`npm run simulate -- store`): PUT /faults with a JSON object.

import { SimulatorError } from '../errors.ts'
import type { Knobs } from '../scenario/schema.ts'

export interface StoreControl {
  /** What is not given stays as it is. */
  set (knobs: Knobs): Promise<void>
  /** As good as it gets. What it resolves with turns back what was found, but for an outage. */
  clear (): Promise<() => Promise<void>>
}

const TIMEOUT_MS = 5000
const HEALTHY = { bytesPerSecond: null, latencyMs: 0, errorRate: 0, outage: false, stall: false }

export function createStoreControl (url: string): StoreControl {
  const ask = async (method: 'GET' | 'PUT', faults?: object): Promise<unknown> => {
    const body = faults === undefined ? {} : { body: JSON.stringify(faults) }
    const response = await fetch(`${url}/faults`, {
      method, ...body, signal: AbortSignal.timeout(TIMEOUT_MS)
    }).catch((cause: unknown) => {
      throw new SimulatorError('UNAVAILABLE', `the store's control at ${url} does not answer (${String(cause)}); is \`simulate -- store\` still running?`)
    })
    if (!response.ok) throw new SimulatorError('UNAVAILABLE', `the store's control at ${url} refused: ${await response.text()}`)
    return await response.json()
  }
  const put = async (faults: object): Promise<void> => { await ask('PUT', faults) }
  return {
    set: async ({ rate, latency, errors, outage }) => {
      await put({
        ...(rate !== undefined && { bytesPerSecond: rate === Infinity ? null : rate }),
        ...(latency !== undefined && { latencyMs: latency }),
        ...(errors !== undefined && { errorRate: errors }),
        ...(outage !== undefined && { outage })
      })
    },
    clear: async () => {
      const { knobs } = await ask('GET') as { readonly knobs?: object }
      await put(HEALTHY)
      return async () => { await put({ ...HEALTHY, ...knobs, outage: false }) }
    }
  }
}
