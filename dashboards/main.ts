// `npm run dashboards` writes the dashboards and the rules; with --check it says whether those in the tree are up to
// date. Other rules than the repository's go to another folder: --to.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { assemble } from './assemble.ts'
import { readCommand, UsageError, usage, type Command } from './command.ts'
import { fleet } from './fleet.ts'
import { rulesYaml } from './rules/rules.ts'
import { slo } from './slo.ts'
import { uplink } from './uplink.ts'

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/** From the root of the repository, where npm runs its scripts. */
const FOLDER = 'dashboards/generated'

function command (): Command {
  try {
    return readCommand(process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`${error.message}\n\n${usage}`)
    process.exit(64)
  }
}

const { isCheck, isHelp, folder = FOLDER, rules } = command()
if (isHelp) {
  process.stdout.write(usage)
  process.exit(0)
}

const files = [
  { name: 'fleet.json', text: json(assemble(fleet)) },
  { name: 'uplink.json', text: json(assemble(uplink)) },
  { name: 'slo.json', text: json(assemble(slo)) },
  { name: 'rules.yml', text: rulesYaml(rules) }
]

if (!isCheck) await mkdir(folder, { recursive: true })
for (const { name, text } of files) {
  const path = join(folder, name)
  if (!isCheck) {
    await writeFile(path, text)
  } else if (await readFile(path, 'utf8').catch(() => undefined) !== text) {
    process.stderr.write(`${path} is not what the sources say: run \`npm run dashboards\` and commit it\n`)
    process.exitCode = 1
  }
}
