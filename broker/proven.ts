import { timingSafeEqual } from 'node:crypto'
import { addressGroup } from './address-group.ts'

/** A name with a password, the password as a keyed hash of both. */
export interface Sealed {
  readonly username: string
  readonly address: string
  readonly seal: string
}

/** Addresses from which one name is known again at once; a fleet with one name may have more. */
const ADDRESSES_MAX = 16

/** The passwords that were right, in memory alone, and from where they were. */
export class Proven {
  readonly #byName = new Map<string, { readonly seal: string, readonly addresses: Set<string> }>()

  add ({ username, seal, address }: Sealed): void {
    const before = this.#byName.get(username)
    const addresses = before?.seal === seal ? before.addresses : new Set<string>()
    const [oldest] = addresses
    if (addresses.size >= ADDRESSES_MAX && oldest !== undefined) addresses.delete(oldest)
    this.#byName.set(username, { seal, addresses: addresses.add(addressGroup(address)) })
  }

  /** From an address where it was not right yet it may be a guess, and a guess is to take its time. */
  has ({ username, seal, address }: Sealed): boolean {
    const proven = this.#byName.get(username)
    if (proven === undefined || !proven.addresses.has(addressGroup(address))) return false
    return timingSafeEqual(Buffer.from(proven.seal), Buffer.from(seal))
  }

  delete (username: string): void {
    this.#byName.delete(username)
  }
}
