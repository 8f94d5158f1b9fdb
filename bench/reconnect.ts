// A fleet that comes back all at once. Run as a process of its own: reconnect.ts PORT FILE; FILE holds the fleet as
// JSON, `[user, password]` each, the user being the client id too. Prints a Reconnect as JSON.

import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { Child } from './child.ts'
import { openDevice, type Device } from './load.ts'

export interface Reconnect {
  readonly admitted: number
  /** Of those that were tried once and not admitted. */
  readonly refused: number
  /** From the first socket to the last CONNACK. */
  readonly seconds: number
}

export type Fleet = ReadonlyArray<readonly [user: string, password: string]>

const TIMEOUT_MS = 90_000

async function runReconnect (port: number, fleet: Fleet): Promise<Reconnect> {
  const from = performance.now()
  const devices: Device[] = []
  let [refused, last] = [0, from]
  await Promise.all(fleet.map(async ([user, password]) => {
    try {
      devices.push(await openDevice({ port, user, password }, user))
      last = performance.now()
    } catch {
      refused++
    }
  }))
  for (const device of devices) device.close()
  return { admitted: devices.length, refused, seconds: (last - from) / 1000 }
}

/** By a process of its own. */
export async function reconnect (port: number, file: string): Promise<Reconnect> {
  const child = new Child(process.execPath, ['--import', 'tsx', 'bench/reconnect.ts', String(port), file])
  const [line] = await child.prints(/\{.*\}/, TIMEOUT_MS)
  return JSON.parse(line) as Reconnect // it prints one
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [port, file = ''] = process.argv.slice(2)
  const fleet = JSON.parse(readFileSync(file, 'utf8')) as Fleet // bench/identity.ts wrote it
  console.log(JSON.stringify(await runReconnect(Number(port), fleet)))
}
