// What the service holds of its memory budget by its own account, and what its process really has.

import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { parseExposition } from '../helpers/exposition.ts'
import type { Service } from '../helpers/process.ts'

export interface BudgetAccount {
  readonly heldBytes: number
  readonly limitBytes: number
  /** Payloads that wait in their sockets. */
  readonly waiting: number
}

export interface MemoryWatch {
  /** The most of each that was seen. */
  end (): Promise<BudgetAccount & { readonly looks: number, readonly residentBytes: number }>
}

const EVERY_MS = 20

export async function readSeries ({ url }: Service): Promise<ReadonlyMap<string, number>> {
  return parseExposition(await (await fetch(`${url}/metrics`)).text()).series
}

export async function readBudget (service: Service): Promise<BudgetAccount> {
  const series = await readSeries(service)
  const read = (name: string): number => series.get(`sluice_memory_budget_${name}`) ?? NaN
  return { heldBytes: read('held_bytes'), limitBytes: read('limit_bytes'), waiting: read('waiting') }
}

/** Now, and the most since a watch began: proc(5). */
export function readResident ({ pid }: Service): { readonly now: number, readonly most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024
  return { now: read('VmRSS'), most: read('VmHWM') }
}

export function watchMemory (service: Service): MemoryWatch {
  writeFileSync(`/proc/${service.pid}/clear_refs`, '5') // the peak is now what there is: proc(5)
  const accounts: BudgetAccount[] = []
  const ended = new AbortController()
  const watching = (async () => {
    while (!ended.signal.aborted) {
      accounts.push(await readBudget(service))
      await delay(EVERY_MS)
    }
  })()
  watching.catch(() => {}) // `end` tells
  return {
    async end () {
      ended.abort()
      await watching
      const most = (read: (account: BudgetAccount) => number): number => Math.max(...accounts.map(read))
      return {
        looks: accounts.length,
        heldBytes: most(({ heldBytes }) => heldBytes),
        limitBytes: most(({ limitBytes }) => limitBytes),
        waiting: most(({ waiting }) => waiting),
        residentBytes: readResident(service).most
      }
    }
  }
}
