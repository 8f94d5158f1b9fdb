import { inspect } from 'node:util'
import { SimulatorError } from '../errors.ts'
import { hidePassword } from './broker-url.ts'
import { checkScenario } from './check.ts'
import { formatPath, pathsOf, problemsOf, wordIssue, type Problem } from './problems.ts'
import type { Group, Phase, Scenario, Target, Uplink } from './scenario.ts'
import { IMAGES_MAX, scenarioSchema, type Given, type Issue } from './schema.ts'
import { layOver, sourceOf, without, type Tree } from './tree.ts'

/** Where a scenario comes from; flags go before the file. */
export interface Sources {
  /** As YAML has it, and what to call it. */
  readonly file?: { readonly name: string, readonly tree: Tree }
  readonly flags?: Tree
  /** What the flag of a path is called: `devices.count` is --count. */
  readonly flagNames?: ReadonlyMap<string, string>
}

const RATE_PER_SECOND = 2 / 60
const CONNECTS_PER_SECOND = 500
const DURATION_MS = 60_000
const VALUE_CHARACTERS_MAX = 60

/** Throws one SimulatorError that names everything that is wrong. */
export function readScenario (sources: Sources): Scenario {
  const tree = layOver(sources.file?.tree ?? {}, sources.flags ?? {})
  const result = scenarioSchema.safeParse(tree, { error: wordIssue })
  if (!result.success) {
    const { issues } = result.error
    throw refuse(sources, tree, [...problemsOf(issues), ...checkRest(tree, issues)])
  }
  const scenario = normalise(result.data)
  const problems = checkScenario(scenario, result.data)
  if (problems.length > 0) throw refuse(sources, tree, problems)
  return scenario
}

/** What is wrong beside the parts that are wrong by themselves, as far as it can be told without them. */
function checkRest (tree: Tree, issues: readonly Issue[]): readonly Problem[] {
  const wrong = issues.flatMap(pathsOf)
  const rest = scenarioSchema.safeParse(without(tree, wrong))
  if (!rest.success) return []
  const told = new Set(wrong.map((path) => formatPath(path)))
  return checkScenario(normalise(rest.data), rest.data).filter(({ path }) => !told.has(path))
}

function normalise (given: Given): Scenario {
  const { name, about, limit = IMAGES_MAX, warmup, drainTimeout, model, seed, workers, thresholds, allowRemote } = given
  const phases = readPhases(given)
  return {
    name,
    about,
    target: readTarget(given),
    groups: given.devices.map((group) => readGroup(group, given)),
    phases,
    durationMs: phases.reduce((sum, { forMs }) => sum + forMs, 0),
    limit,
    warmupMs: warmup,
    drainMs: drainTimeout,
    model,
    connectsPerSecond: given.connrate ?? perSecond(given.connectInterval) ?? CONNECTS_PER_SECOND,
    stormMs: given.reconnectStorm,
    seed,
    workers,
    uplink: readUplink(given),
    thresholds,
    allowRemote
  }
}

function perSecond (intervalMs: number | undefined): number | undefined {
  return intervalMs === undefined ? undefined : 1000 / intervalMs
}

function readPhases ({ phases, duration, limit }: Given): readonly Phase[] {
  if (phases !== undefined) return phases.map(({ name, load, ...phase }) => ({ name, load, forMs: phase.for }))
  return [{ name: 'run', forMs: duration ?? (limit === undefined ? DURATION_MS : Infinity), load: 1 }]
}

function readTarget ({ url, host, port, username, password, ca, cert, key }: Given): Target {
  const isTls = url?.isTls === true || ca !== undefined || cert !== undefined
  return {
    host: (url?.host ?? host).replace(/^\[(.*)\]$/, '$1'), // an IPv6 address stands bare in a socket's options
    port: port ?? url?.port ?? (isTls ? 8883 : 1883),
    isTls,
    username: username ?? url?.username,
    password: password ?? url?.password,
    ca,
    cert,
    key
  }
}

function readUplink ({ uplink }: Given): Uplink | undefined {
  if (uplink === undefined) return undefined
  const { outage, events, ...knobs } = uplink
  return { ...knobs, events: outage === undefined ? events : [...events, { ...outage, outage: true }] }
}

function readGroup ({ rate, interval, topic, ...group }: Given['devices'][number], { topicPrefix }: Given): Group {
  const image = group.ids ? '/%id' : ''
  return {
    ...group,
    ratePerSecond: rate ?? perSecond(interval) ?? RATE_PER_SECOND,
    topic: topic ?? `${topicPrefix}/%c/images${image}`
  }
}

function refuse (sources: Sources, tree: Tree, problems: readonly Problem[]): SimulatorError {
  const isInFile = problems.some(({ path }) => sourceOf(path, sources.flags ?? {}) === 'file' && sources.file !== undefined)
  const lines = problems.map(({ path, message }) => {
    const isOfFlag = sourceOf(path, sources.flags ?? {}) === 'flag' || sources.file === undefined
    const name = isOfFlag ? flagOf(path, sources) : [sources.file?.name, path].filter((part) => part !== '').join(': ')
    return `${name === '' ? '' : `${name}: `}${message}${got(tree, path)}`
  })
  return new SimulatorError(isInFile ? 'CONFIG' : 'USAGE', [...new Set(lines)].join('\n')) // a flag is said of every group
}

/** `--count`, and `--offline at` for a field of a flag that has several. */
function flagOf (path: string, { flagNames }: Sources): string {
  const plain = path.replaceAll(/\[\d+\]/g, '')
  const known = [...flagNames ?? []].find(([each]) => plain === each || plain.startsWith(`${each}.`))
  if (known === undefined) return path
  const [flagged, flag] = known
  return plain === flagged ? flag : `${flag} ${plain.slice(flagged.length + 1)}`
}

/** What stands there, as much of it as goes into a line. */
function got (tree: Tree, path: string): string {
  if (path === '' || /password/.test(path)) return ''
  const value = path.split(/[.[\]]+/).filter((key) => key !== '').reduce<unknown>((inner, key) => {
    if (typeof inner !== 'object' || inner === null) return undefined
    return (inner as Tree)[key] ?? (key === '0' ? inner : undefined) // one group may stand without its list
  }, tree)
  if (value === undefined) return ''
  const text = typeof value === 'string' ? JSON.stringify(hidePassword(value, ':***')) : inspect(value, { breakLength: Infinity }) // an alias may go round
  return text.length <= VALUE_CHARACTERS_MAX ? `, got ${text}` : `, got ${text.slice(0, VALUE_CHARACTERS_MAX)}...`
}
