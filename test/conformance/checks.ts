import type { Site } from './site.ts'

/** By clause. Rejects where the statement is broken. */
export type Checks = Readonly<Record<string, (site: Site) => Promise<void>>>

/** Each ends the connection of a client of its own, and nothing comes before that. */
export async function areCut (site: Site, ...packets: readonly Buffer[]): Promise<void> {
  await Promise.all(packets.map(async (packet) => { await (await site.admitted()).isCutBy(packet) }))
}

/** The same of first packets. */
export async function areCutAtFirst (site: Site, ...packets: readonly Buffer[]): Promise<void> {
  await Promise.all(packets.map(async (packet) => { await (await site.open()).isCutBy(packet) }))
}
