import { createHash } from 'node:crypto'
import { join } from 'node:path'
import * as z from 'zod'
import { toAuth, toListeners } from './access.ts'
import { catalogue, settingAt, type Setting } from './catalogue.ts'
import { checkConfig } from './check.ts'
import type { Config } from './config.ts'
import { ConfigError, type Problem } from './problems.ts'
import { settings, type Settings } from './settings.ts'
import { readSources, type Given, type Sources } from './sources.ts'

/** The configuration, and what somebody gave of it, by path. */
export interface Resolved {
  readonly config: Config
  readonly given: ReadonlyMap<string, Given>
}

/**
 * Reads the whole configuration: flags before the environment before the file before the defaults.
 * Throws one ConfigError that names every problem there is.
 */
export function readConfig (sources: Sources): Config {
  return resolveConfig(sources).config
}

export function resolveConfig (sources: Sources): Resolved {
  const { given, problems } = readSources(sources)
  const good = new Map<string, Given>()
  for (const one of given.values()) {
    const refusals = refusalsOf(one)
    if (refusals.length === 0) good.set(one.setting.path, one)
    problems.push(...refusals.map(({ path, message }) => problemWith(path, message, given)))
  }
  const config = toConfig(settings.parse(toTree(good)))
  // A check that reads a value already refused would judge the default in its place.
  const refused = new Set(problems.map(({ path }) => settingOf(path)))
  const doubts = checkConfig(config).filter(({ reads }) => !reads.some((path) => refused.has(path)))
  problems.push(...doubts.map(({ path, message }) => problemWith(path, message, given)))
  if (problems.length > 0) throw new ConfigError(problems)
  return { config, given }
}

/** The paths of what another reading changes. */
export function changedSettings (before: Resolved, after: Resolved): readonly string[] {
  const valueIn = ({ given }: Resolved, { path, type, fallback }: Setting): string =>
    JSON.stringify(z.parse(type, given.get(path)?.value ?? fallback)) ?? ''
  return catalogue
    .filter((setting) => valueIn(before, setting) !== valueIn(after, setting))
    .map(({ path }) => path)
}

/** Tells two configurations apart without telling their secrets. */
export function configHash (config: Config): string {
  const open = JSON.stringify(config, (key, value: unknown) => SECRETS.has(key) ? value !== undefined : value)
  return createHash('sha256').update(open).digest('hex').slice(0, 12)
}

const SECRETS = new Set(catalogue
  .filter(({ isSecret }) => isSecret)
  .map(({ path }) => path.split('.').at(-1)))

/** Of a list, what is wrong in each place: `uplink.schedule[1].from`. */
function refusalsOf ({ setting, value }: Given): ReadonlyArray<Pick<Problem, 'path' | 'message'>> {
  const result = z.safeParse(setting.type, value)
  const issues = result.success ? [] : result.error.issues
  return issues
    .filter(({ path }, at) => at === 0 || path.length > 0)
    .map(({ path: within, message }) => ({ path: formatPath(setting.path, within), message }))
}

function formatPath (path: string, within: readonly PropertyKey[]): string {
  return path + within.map((key) => typeof key === 'number' ? `[${key}]` : `.${String(key)}`).join('')
}

/** `uplink.schedule` of `uplink.schedule[1].from`. */
function settingOf (path: string): string {
  return path.replace(/\[.*$/, '')
}

/** What stands in one place of a list; the whole of it where it was written as one text. */
function valueAt (value: unknown, path: string): unknown {
  const keys = path.slice(settingOf(path).length).split(/[[\].]+/).filter((key) => key !== '')
  return keys.reduce((inner, key) =>
    typeof inner === 'object' && inner !== null ? (inner as Readonly<Record<string, unknown>>)[key] : inner, value)
}

function problemWith (path: string, message: string, given: ReadonlyMap<string, Given>): Problem {
  const setting = settingAt(settingOf(path))
  const one = given.get(settingOf(path))
  const value = valueAt(one === undefined ? setting?.fallback : one.value, path)
  return {
    path,
    message,
    value: setting?.isSecret === true || value === undefined ? undefined : quote(value),
    source: one?.source ?? 'default'
  }
}

// A password in a URL is refused, and the refusal does not print it.
function quote (value: unknown): string {
  return JSON.stringify(value).replace(/\/\/[^/@"]*@/, '//******@')
}

/** As the file would have it: sections with their settings. */
function toTree (given: ReadonlyMap<string, Given>): Record<string, unknown> {
  const tree: Record<string, unknown> = {}
  const sections = new Map([['', tree]])
  const sectionAt = (path: string): Record<string, unknown> => {
    const there = sections.get(path) ?? {}
    if (sections.has(path)) return there
    sections.set(path, there)
    const [above, key] = split(path)
    sectionAt(above)[key] = there
    return there
  }
  for (const [path, { value }] of given) {
    const [name, key] = split(path)
    sectionAt(name)[key] = value
  }
  return tree
}

/** `mqtt.tls` and `listen` of `mqtt.tls.listen`. */
function split (path: string): [string, string] {
  const dot = path.lastIndexOf('.')
  return [path.slice(0, Math.max(0, dot)), path.slice(dot + 1)]
}

function toConfig (settings: Settings): Config {
  const { dataDir, mqtt, auth, intake, spool, s3, localStore, uplink, slo, http, log, shutdown } = settings
  const { topicPrefix, maxPacketSize, memoryBudget, maxConnections } = mqtt
  const { region, pathStyle, key, ifNoneMatch, integrity, partSize } = s3
  return {
    dataDir,
    mqtt: {
      ...toListeners(mqtt),
      limits: mqtt.limits,
      topicPrefix,
      site: mqtt.site,
      sysIntervalMs: mqtt.sysInterval,
      maxPacketSize,
      memoryBudget,
      maxConnections
    },
    auth: toAuth(auth),
    intake: {
      imageTypes: intake.imageTypes,
      imageKey: intake.imageKey,
      dedupWindowMs: intake.dedupWindow,
      withholdMs: intake.withhold
    },
    spool: {
      dir: spool.dir ?? join(dataDir, 'spool'),
      segmentSize: spool.segmentSize,
      limit: spool.limit,
      reserve: spool.reserve
    },
    s3: {
      endpoint: s3.endpoint ?? undefined,
      local: s3.endpoint === null && s3.bucket === null,
      region,
      bucket: s3.bucket ?? 'images',
      pathStyle,
      key,
      ifNoneMatch,
      integrity,
      partSize,
      accessKeyId: s3.accessKeyId ?? undefined,
      secretAccessKey: s3.secretAccessKey ?? undefined
    },
    localStore: { listen: localStore.listen, dir: join(dataDir, 'objects') },
    uplink: {
      capacity: uplink.capacity,
      share: uplink.share,
      overhead: uplink.overhead,
      schedule: uplink.schedule,
      timeZone: uplink.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
      concurrency: uplink.concurrency,
      retryShare: uplink.retryShare,
      order: uplink.order,
      lanes: uplink.lanes,
      laneRules: uplink.laneRules,
      timeoutMs: uplink.timeout
    },
    slo: { targetMs: slo.target, objective: slo.objective },
    http: { listen: http.listen, token: http.token ?? undefined, limits: http.limits },
    log,
    shutdown: { graceMs: shutdown.grace }
  }
}
