// A part of `npm run docs`: writes docs/conformance.md and its table in README.md; with --check it says whether those
// in the tree are up to date.

import { readFile, writeFile } from 'node:fs/promises'
import { conformancePage, withTable } from './page.ts'

/** From the root of the repository, where npm runs its scripts. */
const [PAGE, README] = ['docs/conformance.md', 'README.md'] as const

const readme = await readFile(README, 'utf8')
const wanted = [[PAGE, conformancePage], [README, withTable(readme)]] as const
for (const [path, text] of wanted) {
  if (!process.argv.includes('--check')) {
    await writeFile(path, text)
  } else if (await readFile(path, 'utf8').catch(() => undefined) !== text) {
    process.stderr.write(`${path} is not what test/conformance/statements.ts says: run \`npm run docs\` and commit it\n`)
    process.exitCode = 1
  }
}
