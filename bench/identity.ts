import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { formatHash, hashPassword, ITERATIONS } from '../broker/password-hash.ts'
import { readCpuSeconds } from './child.ts'
import { benchIntake } from './intake.ts'
import { SLUICE, startSluice } from './peers/sluice.ts'
import type { PeerKind } from './peers/peer.ts'
import { reconnect, type Fleet } from './reconnect.ts'
import type { PeerRow } from './rounds.ts'
import { NO_STORE, startService, withTempDirectory } from './subject.ts'

export interface IdentityRow {
  readonly fleets: readonly FleetRow[]
  /** With identity on, then off. */
  readonly intake: readonly PeerRow[]
}

export interface FleetRow {
  readonly proof: string
  readonly when: 'for the first time' | 'after a restart' | 'again'
  readonly devices: number
  readonly refused: number
  readonly seconds: number
  /** Of the service, for each device. */
  readonly cpuMsEach: number
}

interface Proofs {
  readonly name: string
  readonly fleet: Fleet
  readonly env: Readonly<Record<string, string>>
}

interface IdentityLoad {
  readonly devices: number
  readonly count: number
  readonly rounds: number
}

/** A fleet that comes back all at once, by each proof; and what identity costs the durable path. */
export async function benchIdentity ({ devices, count, rounds }: IdentityLoad): Promise<IdentityRow> {
  const fleets: FleetRow[] = []
  for (const prove of [provePasswords, proveByPublicKey, proveBySecret]) fleets.push(...await comeBack(prove, devices))
  const kinds = [WITH_IDENTITY, { ...SLUICE, name: 'identity off' }]
  return { fleets, intake: await benchIntake(kinds, { devices: 100, count, rounds, withDisk: false }) }
}

async function comeBack (
  prove: (directory: string, devices: number) => Promise<Proofs>, devices: number
): Promise<FleetRow[]> {
  return await withTempDirectory(async (directory) => {
    const { name: proof, fleet, env } = await prove(directory, devices)
    const file = join(directory, 'fleet.json')
    writeFileSync(file, JSON.stringify(fleet))
    const rows: FleetRow[] = []
    for (const whens of [['for the first time'], ['after a restart', 'again']] as const) {
      const service = await startService(join(directory, 'data'), { ...NO_STORE, ...env })
      const { pid = 0 } = service.child.process
      try {
        for (const when of whens) {
          const before = readCpuSeconds(pid)
          const { refused, seconds } = await reconnect(service.mqttPort, file)
          const cpuMsEach = (readCpuSeconds(pid) - before) * 1000 / devices
          rows.push({ proof, when, devices, refused, seconds, cpuMsEach })
          console.error(`${proof}, ${when}: ${devices} devices within ${seconds.toFixed(1)} s, ${refused} refused`)
        }
      } finally {
        await service.child.stop()
      }
    }
    return rows
  })
}

async function provePasswords (directory: string, devices: number): Promise<Proofs> {
  const { fleet, passwordFile } = await writePasswords(directory, devices)
  return { name: `passwords, $7$ of ${ITERATIONS} iterations`, fleet, env: { SLUICE_AUTH_PASSWORD_FILE: passwordFile } }
}

async function writePasswords (
  directory: string, devices: number
): Promise<{ readonly fleet: Fleet, readonly passwordFile: string }> {
  const password = (): string => randomBytes(18).toString('base64')
  const fleet = Array.from({ length: devices }, (_, nth) => [`bench-${nth}`, password()] as const)
  const lines: string[] = []
  for (const [user, password] of fleet) lines.push(`${user}:${formatHash(await hashPassword(password))}\n`)
  const passwordFile = join(directory, 'passwords')
  writeFileSync(passwordFile, lines.join(''), { mode: 0o600 })
  return { fleet, passwordFile }
}

async function proveByPublicKey (directory: string, devices: number): Promise<Proofs> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const file = join(directory, 'key.pem')
  writeFileSync(file, publicKey.export({ type: 'spki', format: 'pem' }))
  const fleet = await sign('ES256', privateKey, devices)
  return { name: 'tokens, ES256', fleet, env: { SLUICE_AUTH_JWT_PUBLIC_KEY_FILE: file } }
}

async function proveBySecret (directory: string, devices: number): Promise<Proofs> {
  const secret = randomBytes(36).toString('base64')
  const file = join(directory, 'secret')
  writeFileSync(file, secret, { mode: 0o600 })
  const fleet = await sign('HS256', Buffer.from(secret), devices)
  return { name: 'tokens, HS256', fleet, env: { SLUICE_AUTH_JWT_SECRET_FILE: file } }
}

async function sign (alg: string, key: KeyObject | Buffer, devices: number): Promise<Fleet> {
  return await Promise.all(Array.from({ length: devices }, async (_, nth) => {
    const token = new SignJWT().setProtectedHeader({ alg }).setSubject(`bench-${nth}`).setExpirationTime('1h')
    return [`bench-${nth}`, await token.sign(key)] as const
  }))
}

/** Each of the load's devices by its own name; all have one password. */
const WITH_IDENTITY: PeerKind = {
  ...SLUICE,
  name: 'identity on',
  async start (directory, endpoint) {
    const password = randomBytes(18).toString('base64')
    const coded = formatHash(await hashPassword(password))
    const passwordFile = join(directory, 'passwords')
    const lines = Array.from({ length: 1000 }, (_, nth) => `bench-${nth}:${coded}\n`)
    writeFileSync(passwordFile, lines.join(''), { mode: 0o600 })
    const peer = await startSluice(directory, { endpoint, env: { SLUICE_AUTH_PASSWORD_FILE: passwordFile } })
    return { ...peer, login: ['%d', password] }
  }
}
