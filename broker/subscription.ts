import type { Subscription } from 'aedes'
import { judgeFilter } from './admission.ts'
import type { Connection } from './connection.ts'
import type { FilterRefusal, LimitName } from './events.ts'
import type { HookRules } from './hooks.ts'

interface Denied {
  readonly reason: FilterRefusal
  readonly detail: string
  readonly limit?: LimitName
}

/** Undefined: granted, and noted among the filters of the connection. Else why it is answered 128. */
export function judgeSubscription (
  { topic: filter, qos }: Pick<Subscription, 'topic' | 'qos'>,
  { permit, filters }: Pick<Connection, 'permit' | 'filters'>,
  rules: HookRules
): Denied | undefined {
  const { subscriptionsMax } = rules
  const malformed = judgeFilter(filter, rules)
  if (malformed !== undefined) return { reason: 'bad_filter', ...malformed }
  if (permit?.mayRead(filter) !== true) {
    const detail = 'not among what this client may read: a device reads its own acks, config and responses, and what auth.aclFile grants'
    return { reason: 'not_authorized', detail }
  }
  if (filters.size >= subscriptionsMax && !filters.has(filter)) {
    return { reason: 'too_many', limit: 'subscriptions', detail: `more than ${subscriptionsMax} subscriptions` }
  }
  filters.add(filter, qos)
  return undefined
}
