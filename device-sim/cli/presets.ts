import { stringify } from 'yaml'
import { SimulatorError } from '../errors.ts'
import { findPreset, PRESETS } from '../scenario/presets.ts'
import type { Shell } from './exit.ts'

const NAME_COLUMNS = 23

/** All of them in a line each, or one as the YAML that a scenario of one's own can start from. */
export function showPresets (name: string | undefined, { print }: Shell): void {
  if (name === undefined) {
    for (const [each, { about }] of Object.entries(PRESETS)) print(`${each.padEnd(NAME_COLUMNS)}${String(about)}`)
    return
  }
  const preset = findPreset(name)
  if (preset === undefined) {
    throw new SimulatorError('USAGE', `there is no preset "${name}"; there are ${Object.keys(PRESETS).join(', ')}`)
  }
  print(stringify({ name, ...preset }).trimEnd())
}
