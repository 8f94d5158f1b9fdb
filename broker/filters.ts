import { judgeFilter } from './admission.ts'
import type { FilterRefusal } from './events.ts'
import type { HookRules } from './hooks.ts'
import type { Permit } from './permit.ts'

interface Refusal {
  readonly reason: FilterRefusal
  readonly detail: string
}

interface Subscriber {
  readonly permit: Permit | undefined
  /** What it is subscribed to; a filter that is granted is put there. */
  readonly filters: Set<string>
}

/** Undefined: granted. Else why a filter of a SUBSCRIBE is answered 128. */
export function judgeSubscription (
  filter: string, { permit, filters }: Subscriber, rules: HookRules
): Refusal | undefined {
  const { subscriptionsMax } = rules
  const malformed = judgeFilter(filter, rules)
  if (malformed !== undefined) return { reason: 'bad_filter', detail: malformed }
  if (permit?.mayRead(filter) !== true) {
    const detail = 'not among what this client may read: a device reads its own acks, config and responses, and what auth.aclFile grants'
    return { reason: 'not_authorized', detail }
  }
  if (filters.size >= subscriptionsMax && !filters.has(filter)) {
    return { reason: 'too_many', detail: `more than ${subscriptionsMax} subscriptions` }
  }
  filters.add(filter)
  return undefined
}
