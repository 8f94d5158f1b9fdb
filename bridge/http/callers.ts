import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { addressGroup } from '../../broker/address-group.ts'
import type { HttpLimitName, Observe } from '../events.ts'

export interface CallerLimits {
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
}

/** How many connections a server has, in all and of each address. What is beyond that is cut, and told of. */
export function boundCallers (server: Server, observe: Observe, limits: CallerLimits): void {
  const { connectionsMax, connectionsPerAddressMax: ofOne } = limits
  const counts = new Map<string, number>()
  const tell = (limit: HttpLimitName, who: string, detail: string): void => {
    observe({ kind: 'http-limit-reached', limit, who, detail })
  }
  server.maxConnections = connectionsMax
  server.on('drop', (dropped) => {
    const detail = `${connectionsMax} connections are open, as many as http.limits.connections allows`
    tell('connections', dropped?.remoteAddress ?? '', detail)
  })
  server.prependListener('connection', (socket: Socket) => { // before node:http reads of it
    const { remoteAddress = '' } = socket
    const address = addressGroup(remoteAddress)
    const count = counts.get(address) ?? 0
    if (count >= ofOne) {
      tell('connections_per_address', remoteAddress,
        `${ofOne} connections of ${address} are open, as many as http.limits.connectionsPerAddress allows`)
      socket.destroy()
      return
    }
    counts.set(address, count + 1)
    socket.once('close', () => {
      const left = (counts.get(address) ?? 0) - 1
      if (left > 0) counts.set(address, left)
      else counts.delete(address)
    })
  })
}
