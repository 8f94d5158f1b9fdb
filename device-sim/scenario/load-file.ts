import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { parseDocument } from 'yaml'
import { SimulatorError } from '../errors.ts'
import { PRESETS } from './presets.ts'
import type { Sources } from './read-scenario.ts'
import { isTree, type Tree } from './tree.ts'

/** A preset by its name, or a YAML file. Throws a SimulatorError in one sentence. */
export async function loadScenario (named: string): Promise<NonNullable<Sources['file']>> {
  const preset = PRESETS[named]
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
  const document = parseDocument(text)
  const [error] = document.errors
  if (error !== undefined) throw new SimulatorError('CONFIG', `${name} is not YAML: ${error.message}`)
  const tree: unknown = document.toJS() ?? {}
  if (!isTree(tree)) throw new SimulatorError('CONFIG', `${name}: wanted settings by name, such as "duration: 60s"`)
  return tree
}
