import type { Role } from './roles.ts'
import { rulesFor, type Rule, type Rules } from './rules.ts'
import { parseDeviceId } from './topics.ts'

/** What one client may do of all that the broker does (admission.ts). Asked on every publish. */
export interface Permit {
  mayPublish (topic: string): boolean
  /** True where every topic that the filter matches may be read. */
  mayRead (filter: string): boolean
}

/** What a device reads of its own, with what is below it, and what it writes. */
const READ = ['acks', 'config', 'responses']
const WRITTEN = ['images', 'status']

export const everything: Permit = { mayPublish: () => true, mayRead: () => true }

/** What the role may, and what the rules grant beside it: to a device its own topics. */
export function permitOf (
  { username, role }: { readonly username: string, readonly role: Role }, rules: Rules | undefined, topicPrefix: string
): Permit {
  const granted = rules === undefined ? [] : rulesFor(username, rules)
  if (role !== 'device') return grant([...readsOf(role, topicPrefix), ...granted])
  const deviceId = parseDeviceId(username)
  if (deviceId === undefined) return grant(granted)
  const own = `${topicPrefix}/${deviceId}/`
  const reads = READ.map((word): Rule => ({ right: 'read', filter: `${own}${word}/#` }))
  const writes = WRITTEN.map((word): Rule => ({ right: 'write', filter: `${own}${word}/#` }))
  return grant([...reads, ...writes, ...granted])
}

/**
 * Without a file of rules a client without a name may do everything, where nobody has one or the operator said so;
 * else what is neither a device's nor the broker's own, or any program beside the names could be every device.
 */
export function namelessPermit (
  rules: Rules | undefined, { topicPrefix, isOpen }: { readonly topicPrefix: string, readonly isOpen: boolean }
): Permit {
  if (rules !== undefined) return grant(rules.nameless)
  return isOpen ? everything : foreignTo(topicPrefix)
}

function readsOf (role: 'viewer' | 'operator', topicPrefix: string): Rule[] {
  const filters = role === 'operator' ? ['#', '$SYS/#'] : ['$SYS/#', 'sluice/#', `${topicPrefix}/+/status`, `${topicPrefix}/+/acks`]
  return filters.map((filter) => ({ right: 'read', filter }))
}

function foreignTo (topicPrefix: string): Permit {
  const own = topicPrefix.split('/')
  const meets = (filter: string): boolean => {
    const levels = filter.split('/')
    const open = levels.indexOf('#')
    const fixed = open < 0 ? levels : levels.slice(0, open)
    return (open >= 0 || fixed.length > own.length) &&
      fixed.slice(0, own.length).every((level, at) => level === '+' || level === own[at])
  }
  return {
    mayPublish: (topic) => !topic.startsWith(`${topicPrefix}/`),
    mayRead: (filter) => !filter.startsWith('$') && !meets(filter)
  }
}

function grant (rules: readonly Rule[]): Permit {
  const writes = rules.filter(({ right }) => right !== 'read').map(({ filter }) => compile(filter))
  const reads = rules.filter(({ right }) => right !== 'write').map(({ filter }) => compile(filter))
  return {
    mayPublish: (topic) => writes.some((filter) => filter.test(topic)),
    mayRead: (filter) => reads.some((granted) => granted.test(filter))
  }
}

/**
 * Matches the topics that the filter matches, and the filters that match nothing else: `a/+` is
 * within `a/#`, `a/#` is not within `a/+`. A wildcard that comes first leaves out topics that begin
 * with $ [MQTT-4.7.2-1].
 */
export function compile (filter: string): RegExp {
  const levels = filter.split('/')
  const isOpen = levels.at(-1) === '#'
  const fixed = (isOpen ? levels.slice(0, -1) : levels).map((level) => level === '+' ? '[^/#]*' : escape(level))
  const first = /^[+#]/.test(filter) ? '(?!\\$)' : ''
  if (!isOpen) return new RegExp(`^${first}${fixed.join('/')}$`)
  return fixed.length === 0 ? /^(?!\$)/ : new RegExp(`^${first}${fixed.join('/')}(?:/[^]*)?$`)
}

function escape (level: string): string {
  return level.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
