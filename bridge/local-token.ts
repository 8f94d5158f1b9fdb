import { randomBytes } from 'node:crypto'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

// <dataDir>/operator.token: whoever may read the data directory can do everything to what is in it, and so the
// commands on this machine take the token in it for an operator's. Made anew at every start.

export function localTokenFile (dataDir: string): string {
  return join(dataDir, 'operator.token')
}

/** Resolves with the token once the file has it. */
export async function writeLocalToken (dataDir: string): Promise<string> {
  const token = randomBytes(32).toString('base64url')
  const file = localTokenFile(dataDir)
  const draft = `${file}.${process.pid}.new`
  await writeFile(draft, `${token}\n`, { mode: 0o600 })
  await rename(draft, file)
  return token
}
