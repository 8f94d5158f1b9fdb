// What callers of the HTTP side may use. The names are those of sluice_http_limits_reached_total.

import * as z from 'zod'
import { count } from './kinds.ts'

export type HttpLimits = z.output<typeof fields>

const fields = z.strictObject({
  logins: count(10_000, 'Logins; who has none when they are taken shows name and password with each request.', { min: 1, max: 1_000_000 }),
  loginsPerUser: count(20, 'Of these, those of one user; a further one ends the oldest.', { min: 1, max: 100_000 })
})

export const httpLimits = fields.prefault({}).meta({ description: 'What callers may use.' })
