import { readFile, writeFile } from 'node:fs/promises'
import { Option } from 'commander'
import { parse, stringify } from 'yaml'
import { SimulatorError } from '../errors.ts'
import type { StoreFlags } from '../judge/store-choice.ts'
import { hidePassword } from '../scenario/broker-url.ts'
import { loadScenario } from '../scenario/load-file.ts'
import { readScenario } from '../scenario/read-scenario.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { isTree, type Tree } from '../scenario/tree.ts'
import { SCENARIO_FLAGS } from './flags.ts'

/** As commander hands them over. */
export type Flags = Readonly<Record<string, unknown>>

export interface RunFlags extends Flags, StoreFlags {
  /** A preset's name or a file, as it was given or saved. */
  readonly scenario?: string
  readonly verify?: true
  readonly verifyTimeout?: string
  readonly runFile?: string
  readonly out?: string
  readonly json?: true
  readonly html?: string
  readonly metricsPort?: string
  readonly quiet?: true
}

/** The scenario that a name and flags make together. Throws a SimulatorError that names all that is wrong. */
export async function readScenarioFlags (named: string | undefined, flags: Flags): Promise<Scenario> {
  const { tree, names } = toTree(flags)
  const file = named === undefined ? undefined : await loadScenario(named)
  return readScenario({ flags: tree, flagNames: names, ...(file && { file }) })
}

/** Flags from --load-options under those given; `options` are all that there are. */
export async function loadOptions (flags: Flags, options: readonly Option[]): Promise<Flags> {
  const path = flags['loadOptions']
  if (typeof path !== 'string') return flags
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new SimulatorError('USAGE', `load-options: ${path} cannot be read: ${String(cause)}`)
  })
  const saved = parseOptions(text)
  if (saved === undefined) throw new SimulatorError('USAGE', `load-options: ${path} is not what --save-options writes`)
  const read = Object.entries(saved).map(([name, value]) => readSaved(name, value, options))
  const wrong = read.flatMap((each) => 'problem' in each ? [`load-options: ${path}: ${each.problem}`] : [])
  if (wrong.length > 0) throw new SimulatorError('USAGE', wrong.join('\n'))
  return { ...Object.fromEntries(read.flatMap((each) => 'value' in each ? [[each.name, each.value]] : [])), ...flags }
}

type Saved =
  | { readonly name: string, readonly value: unknown }
  | { readonly problem: string }

/** One saved flag as commander would hand it over; a number written by hand is as good as its text. */
function readSaved (name: string, value: unknown, options: readonly Option[]): Saved {
  const named = options.filter((option) => option.attributeName() === name)
  const takesText = name === 'scenario' || named.some(({ required }) => required)
  if (!takesText && named.length === 0) return { problem: `${name}: there is no such flag; --help lists them` }
  const isList = Array.isArray(value) && named.some(({ parseArg }) => parseArg !== undefined)
  if (isList) return { name, value: value.map(String) }
  const isSwitch = named.some(({ required, negate }) => !required && (value === false || (value === true && !negate)))
  if (isSwitch) return { name, value }
  if (takesText && (typeof value === 'string' || typeof value === 'number')) return { name, value: String(value) }
  const got = SECRETS.includes(name) ? '' : `, got ${JSON.stringify(value)}`
  return { problem: `${name}: wanted ${takesText ? 'a text' : 'true or false'}${got}` }
}

const SECRETS = ['password', 's3SecretAccessKey']

export async function saveOptions (flags: Flags): Promise<void> {
  const { saveOptions: path, loadOptions: _, ...rest } = flags
  if (typeof path !== 'string') return
  const open = Object.fromEntries(Object.entries(rest).filter(([name]) => !SECRETS.includes(name))
    .map(([name, value]) => [name, name === 'url' ? hidePassword(String(value), '') : value]))
  await writeFile(path, stringify(open)).catch((cause: unknown) => {
    throw new SimulatorError('USAGE', `save-options: ${path} cannot be written: ${String(cause)}`)
  })
}

function parseOptions (text: string): Tree | undefined {
  try {
    const value: unknown = parse(text)
    return isTree(value) ? value : undefined
  } catch {
    return undefined
  }
}

function toTree (flags: Flags): { readonly tree: Tree, readonly names: ReadonlyMap<string, string> } {
  const tree: Record<string, unknown> = {}
  const devices: Record<string, unknown> = {}
  const names = new Map<string, string>()
  for (const { flags: text, path, read } of SCENARIO_FLAGS) {
    const option = new Option(text)
    const value = flags[option.attributeName()]
    const isGiven = option.negate ? value === false : value !== undefined && value !== false
    if (!isGiven) continue
    const [section, key] = path.split('.')
    const into = key === undefined ? tree : devices
    const given = read === undefined ? value : read(value)
    into[key ?? section ?? ''] = given
    names.set(path, option.long ?? text)
  }
  return { tree: Object.keys(devices).length > 0 ? { ...tree, devices } : tree, names }
}
