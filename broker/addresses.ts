import type { LimitName } from './events.ts'

export interface AddressLimits {
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
}

/** How many connections there are, in all and of each address. */
export class Addresses {
  readonly #limits: AddressLimits
  readonly #counts = new Map<string, number>()
  #all = 0

  constructor (limits: AddressLimits) {
    this.#limits = limits
  }

  /** Undefined: there is room for one more. */
  whyFull (address: string): { readonly limit: LimitName, readonly detail: string } | undefined {
    const { connectionsMax, connectionsPerAddressMax: ofOne } = this.#limits
    if (this.#all >= connectionsMax) {
      return { limit: 'connections', detail: `${connectionsMax} connections are open, as many as mqtt.maxConnections allows` }
    }
    if ((this.#counts.get(address) ?? 0) < ofOne) return undefined
    const detail = `${ofOne} connections of ${address} are open, as many as mqtt.limits.connectionsPerAddress allows`
    return { limit: 'connections_per_address', detail }
  }

  up (address: string): void {
    this.#all++
    this.#counts.set(address, (this.#counts.get(address) ?? 0) + 1)
  }

  down (address: string): void {
    this.#all--
    const left = (this.#counts.get(address) ?? 0) - 1
    if (left > 0) this.#counts.set(address, left)
    else this.#counts.delete(address)
  }
}
