import type { TokenRole } from './tokens.ts'

/** A device sends its own images; a viewer looks; an operator does everything but send. */
export type Role = TokenRole

/** Users who are no devices, by the configuration. */
export interface Roles {
  readonly operators: ReadonlySet<string>
  readonly viewers: ReadonlySet<string>
}

export const nobodyElse: Roles = { operators: new Set(), viewers: new Set() }

/** What the configuration says of a name goes before what its token says. */
export function roleOf (username: string, { operators, viewers }: Roles, claimed: Role = 'device'): Role {
  if (operators.has(username)) return 'operator'
  return viewers.has(username) ? 'viewer' : claimed
}
