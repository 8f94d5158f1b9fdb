import { parsePublicKeys, parseKeySet, parseSecret, type ReadKeys } from '../broker/token-keys.ts'
import { parseRevoked, type TokenRules } from '../broker/tokens.ts'
import type { Config } from './config/config.ts'
import type { Problem } from './config/problems.ts'

export interface FileReader {
  /** The text of a file; of one that cannot be read undefined, and a problem with its path. */
  read (path: string, file: string): string | undefined
  readonly problems: Problem[]
}

const SOURCES = [
  { name: 'secretFile', parse: parseSecret },
  { name: 'publicKeyFile', parse: parsePublicKeys },
  { name: 'jwksFile', parse: parseKeySet }
] as const

/** Undefined: no file of keys is named, and no token counts. */
export function readTokenRules (jwt: Config['auth']['jwt'], reader: FileReader): TokenRules | undefined {
  const sources = SOURCES.flatMap(({ name, parse }) => {
    const file = jwt[name]
    return file === undefined ? [] : [{ path: `auth.jwt.${name}`, file, parse }]
  })
  const keys = sources.flatMap((source) => readKeys(source, reader).keys)
  const revoked = readRevoked(jwt.revokedFile, reader)
  return sources.length === 0 ? undefined : { keys, issuer: jwt.issuer, audience: jwt.audience, revoked }
}

interface Source {
  readonly path: string
  readonly file: string
  readonly parse: (text: string) => ReadKeys
}

function readKeys ({ path, file, parse }: Source, { read, problems }: FileReader): Pick<ReadKeys, 'keys'> {
  const text = read(path, file)
  if (text === undefined) return { keys: [] }
  const parsed = parse(text)
  for (const problem of parsed.problems) problems.push({ path, message: `${file} ${problem}` })
  return parsed
}

function readRevoked (file: string | undefined, { read, problems }: FileReader): TokenRules['revoked'] {
  const path = 'auth.jwt.revokedFile'
  const { revoked, problems: wrong } = parseRevoked(file === undefined ? '' : read(path, file) ?? '')
  for (const { line, message } of wrong) problems.push({ path, message: `line ${line} ${message}`, source: `${file}:${line}` })
  return revoked
}
