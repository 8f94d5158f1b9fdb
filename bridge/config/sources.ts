// Where settings are given: flags before the environment before the file. What is wrong in one
// source never hides what is wrong in another.

import { readFileSync } from 'node:fs'
import { catalogue, settingAt, type Setting } from './catalogue.ts'
import { readYaml } from './file.ts'
import { unknownName, type Problem } from './problems.ts'

export interface Sources {
  /** By path, as written: `{ 'uplink.capacity': '40Mbit' }`. */
  readonly flags?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string | undefined>>
  /** The path of a YAML file. Without one none is read. */
  readonly file?: string | undefined
}

/** One setting as somebody wrote it, not looked at yet. */
export interface Given {
  readonly setting: Setting
  readonly value: unknown
  /** `sluice.yaml:12`, `SLUICE_UPLINK_SHARE` or `--uplink-share`. */
  readonly source: string
}

export interface Reading {
  readonly given: readonly Given[]
  readonly problems: readonly Problem[]
}

// Kubernetes puts the address of a service called `sluice` into every container beside it
// (kubernetes.io, "Discovering services": {NAME}_SERVICE_HOST, _SERVICE_PORT, _PORT_1883_TCP_ADDR, ...).
const KUBERNETES = /^SLUICE_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/

/** What was given for each setting by its strongest source, by path, and every problem on the way there. */
export function readSources (sources: Sources): { given: Map<string, Given>, problems: Problem[] } {
  const { flags = {}, env = {}, file } = sources
  const readings = [file === undefined ? NOTHING : readFile(file), readEnvironment(env), readFlags(flags)]
  const given = new Map<string, Given>()
  const problems = readings.flatMap((reading) => [...reading.problems, ...twice(reading.given)])
  for (const one of readings.flatMap((reading) => reading.given)) {
    // A secret from a stronger source replaces the file that a weaker one names, and the other way round.
    if (one.value !== null) given.delete(other(one.setting.path))
    given.set(one.setting.path, one)
  }
  problems.push(...readSecretFiles(given))
  return { given, problems }
}

const NOTHING: Reading = { given: [], problems: [] }

function readFile (file: string): Reading {
  try {
    return readYaml(file, readFileSync(file, 'utf8'))
  } catch (cause) {
    return { given: [], problems: [{ path: '', message: `cannot read ${file}: ${reason(cause)}` }] }
  }
}

function readEnvironment (env: Readonly<Record<string, string | undefined>>): Reading {
  const given: Given[] = []
  const problems: Problem[] = []
  const variables = catalogue.filter(({ isBuilt }) => isBuilt).map(({ variable }) => variable)
  for (const [name, value] of Object.entries(env)) {
    // An empty variable is one not set: that is what "${X:-}" in a compose file makes of it.
    if (!name.startsWith('SLUICE_') || value === undefined || value === '' || KUBERNETES.test(name)) continue
    const setting = catalogue.find(({ variable, isBuilt }) =>
      name === variable || (!isBuilt && name.startsWith(`${variable}_`)))
    if (setting !== undefined) given.push({ setting, value, source: name })
    else problems.push({ path: name, message: unknownName('variable', name, variables) })
  }
  return { given, problems }
}

function readFlags (flags: Readonly<Record<string, string>>): Reading {
  const given: Given[] = []
  const problems: Problem[] = []
  for (const [path, value] of Object.entries(flags)) {
    const setting = settingAt(path)
    if (setting?.flag !== undefined) given.push({ setting, value, source: `--${setting.flag}` })
    else problems.push({ path, message: 'cannot be given as a flag; put it into the file or the environment' })
  }
  return { given, problems }
}

function twice (given: readonly Given[]): Problem[] {
  return given
    .filter(({ setting, value }) => setting.isSecret && value !== null &&
      given.some((one) => one.setting.path === other(setting.path) && one.value !== null))
    .map(({ setting, source }) => ({
      path: setting.path, source, message: `is given twice, here and as ${other(setting.path)}; remove one`
    }))
}

/** The partner of a secret is the setting that names a file holding it. */
function other (path: string): string {
  return path.endsWith('File') ? path.slice(0, -'File'.length) : `${path}File`
}

function readSecretFiles (given: Map<string, Given>): Problem[] {
  const problems: Problem[] = []
  for (const setting of catalogue.filter(({ isSecret }) => isSecret)) {
    const named = given.get(other(setting.path))
    if (typeof named?.value !== 'string' || named.value === '') continue
    const { setting: { path }, source } = named
    const problem = (message: string) => problems.push({ path, source, message })
    try {
      const value = readFileSync(named.value, 'utf8').trim()
      if (value === '') problem(`${named.value} is empty; put the secret into it`)
      else given.set(setting.path, { setting, value, source: `${named.source}: ${named.value}` })
    } catch (cause) {
      problem(`cannot read ${named.value}: ${reason(cause)}`)
    }
  }
  return problems
}

function reason (cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'ENOENT') return 'there is no such file; check its name'
  if (code === 'EACCES') return 'permission denied; let the user that runs Sluice read it'
  if (code === 'EISDIR') return 'it is a directory; name a file'
  return cause instanceof Error ? cause.message : String(cause)
}
