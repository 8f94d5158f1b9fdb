import type { TestContext } from 'node:test'
import mqtt, { type IClientOptions } from 'mqtt'
import type { Access } from '../../broker/identities.ts'
import { formatHash, hashPassword } from '../../broker/password-hash.ts'
import { parsePasswords } from '../../broker/passwords.ts'
import { parseRules } from '../../broker/rules.ts'

/** Each user with a password, one iteration each, and the rules of an ACL file. */
export async function accessOf (users: Readonly<Record<string, string>>, acl?: string): Promise<Access> {
  const lines = await Promise.all(Object.entries(users).map(async ([name, password]) =>
    `${name}:${formatHash(await hashPassword(password, 1))}`))
  const { passwords, problems } = parsePasswords(lines.join('\n'))
  const parsed = acl === undefined ? undefined : parseRules(acl)
  const wrong = [...problems, ...parsed?.problems ?? []]
  if (wrong.length > 0) throw new Error(JSON.stringify(wrong))
  return { passwords, rules: parsed?.rules }
}

/** The return code of the CONNACK; 0: admitted, and gone again. */
export async function connackOf (t: TestContext, port: number, options: IClientOptions): Promise<number> {
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, ...options })
  t.after(() => client.endAsync(true))
  const code = await new Promise<number>((resolve, reject) => {
    client.once('connect', () => { resolve(0) })
    client.once('error', (error) => {
      if ('code' in error && typeof error.code === 'number') resolve(error.code)
      else reject(error)
    })
    client.once('close', () => { reject(new Error('closed without a CONNACK')) })
  })
  await client.endAsync()
  return code
}
