import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isErrno } from './errors.ts'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/**
 * The credentials in a JSON file `{ "accessKeyId", "secretAccessKey" }`; made with a random secret and
 * mode 0600 where there is none. Two who make it at once get the same. Rejects where the file is not that.
 */
export async function readOrCreateCredentials (file: string): Promise<Credentials> {
  return await read(file) ?? await create(file)
}

async function read (file: string): Promise<Credentials | undefined> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  })
  if (text === undefined) return undefined
  const credentials = parse(text)
  if (credentials === undefined) {
    throw new Error(`${file} does not hold an accessKeyId and a secretAccessKey as JSON; remove it to have new ones made`)
  }
  return credentials
}

async function create (file: string): Promise<Credentials> {
  const credentials = {
    accessKeyId: `SLUICE${randomBytes(7).toString('hex').toUpperCase()}`,
    secretAccessKey: randomBytes(30).toString('base64url')
  }
  await mkdir(dirname(file), { recursive: true })
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    const handle = await open(draft, 'wx', 0o600)
    await handle.writeFile(`${JSON.stringify(credentials, undefined, 2)}\n`)
    await handle.sync()
    await handle.close()
    await link(draft, file) // unlike rename, it leaves alone what somebody else has just made
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
  } finally {
    await rm(draft, { force: true })
  }
  const made = await read(file)
  if (made === undefined) throw new Error(`${file} was removed while it was made`)
  return made
}

function parse (text: string): Credentials | undefined {
  try {
    const { accessKeyId, secretAccessKey } = JSON.parse(text) as Partial<Credentials> // checked in the next line
    const isPair = typeof accessKeyId === 'string' && typeof secretAccessKey === 'string' && accessKeyId !== '' && secretAccessKey !== ''
    return isPair ? { accessKeyId, secretAccessKey } : undefined
  } catch {
    return undefined
  }
}
