import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { parseDocument, type Document, type YAMLError } from 'yaml'
import { SimulatorError } from '../errors.ts'
import { findPreset, PRESETS } from './presets.ts'
import type { Sources } from './read-scenario.ts'
import { isTree, type Tree } from './tree.ts'

/** A preset by its name, or a YAML file. Throws a SimulatorError in one sentence. */
export async function loadScenario (named: string): Promise<NonNullable<Sources['file']>> {
  const preset = findPreset(named)
  if (preset !== undefined) return { name: `preset ${named}`, tree: { name: named, ...preset } }
  if (!/\.ya?ml$|\.json$|\//.test(named)) {
    throw new SimulatorError('USAGE',
      `there is no preset "${named}"; there are ${Object.keys(PRESETS).join(', ')}. A scenario of your own is a file, such as ./${named}.yaml`)
  }
  const text = await readFile(named, 'utf8').catch((cause: unknown) => {
    throw new SimulatorError('USAGE', `the scenario ${named} cannot be read: ${String(cause)}`)
  })
  return { name: named, tree: { name: basename(named).replace(/\.\w+$/, ''), ...parse(named, text) } }
}

function parse (name: string, text: string): Tree {
  const document = parseDocument(text, { prettyErrors: true }) // which gives them a line
  const tree: unknown = document.errors.length > 0 ? refuse(name, document.errors) : read(name, document)
  if (!isTree(tree)) throw new SimulatorError('CONFIG', `${name}: wanted settings by name, such as "duration: 60s"`)
  return tree
}

/** Of each line the first: what follows on it mostly comes of that. */
function refuse (name: string, errors: readonly YAMLError[]): never {
  const said = new Map<number, string>()
  for (const { message, linePos: [{ line, col }] = [{ line: 0, col: 0 }] } of errors) {
    const [what = ''] = message.split(/ at line \d+, column \d+|\n/)
    if (!said.has(line)) said.set(line, `${name}, line ${line}, column ${col}: not YAML: ${what}`)
  }
  throw new SimulatorError('CONFIG', [...said.values()].join('\n'))
}

function read (name: string, document: Document.Parsed): unknown {
  try {
    return document.toJS() ?? {}
  } catch (cause) {
    throw new SimulatorError('CONFIG', `${name} is not YAML: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}
