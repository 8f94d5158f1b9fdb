import type { Subscription } from 'aedes'
import type { Connection } from './connection.ts'
import type { LimitName } from './events.ts'

interface Denied {
  readonly detail: string
  readonly limit?: LimitName
}

/** Undefined: granted, and noted among the filters of the connection. Else why not. */
export function judgeSubscription (
  { topic: filter, qos }: Pick<Subscription, 'topic' | 'qos'>,
  { permit, filters }: Pick<Connection, 'permit' | 'filters'>,
  { subscriptionsMax }: { readonly subscriptionsMax: number }
): Denied | undefined {
  if (permit?.mayRead(filter) !== true) {
    return { detail: 'not among what this client may read: a device reads its own acks, config and responses, and what auth.aclFile grants' }
  }
  if (filters.size >= subscriptionsMax && !filters.has(filter)) {
    return { limit: 'subscriptions', detail: `more than ${subscriptionsMax} subscriptions` }
  }
  filters.add(filter, qos)
  return undefined
}
