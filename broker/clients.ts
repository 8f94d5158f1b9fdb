import type { Aedes, Client } from 'aedes'
import type { Connection } from './connection.ts'

/** Notes at each connection what Aedes says of its client. */
export function followClients (
  aedes: Aedes, connectionOf: (client: Client) => Connection, admit: (client: Client) => void
): void {
  aedes.on('clientReady', admit)
  aedes.on('connectionError', (client, error) => {
    connectionOf(client).refuse('unsupported_protocol', error.message)
  })
  aedes.on('clientError', (client, error) => {
    const reason = error.message === 'drain timeout' ? 'slow_consumer' : 'refused' // aedes lib/client.js
    connectionOf(client).endsFor(reason, error.message)
  })
  aedes.on('unsubscribe', (filters, client) => {
    for (const filter of filters) connectionOf(client).filters.delete(filter)
  })
}
