// What callers of the HTTP side may use. The names are those of sluice_http_limits_reached_total.

import * as z from 'zod'
import { count } from './kinds.ts'

export type HttpLimits = z.output<typeof fields>

const fields = z.strictObject({
  connections: count(2_000, 'Connections beyond this are closed at once.', { min: 1, max: 1_000_000 }),
  connectionsPerAddress: count(1_000, 'Of these, those of one address; a proxy has one for all it serves.',
    { min: 1, max: 1_000_000 }),
  logins: count(10_000, 'Logins; who has none when they are taken shows name and password with each request.', { min: 1, max: 1_000_000 }),
  loginsPerUser: count(20, 'Of these, those of one user; a further one ends the oldest.', { min: 1, max: 100_000 })
})

export const httpLimits = fields.prefault({}).meta({ description: 'What callers may use.' })
