// `npm run docs` writes docs/metrics.md; with --check it says whether the one in the tree is up to date.

import { readFile, writeFile } from 'node:fs/promises'
import { metricsPage } from './metrics-page.ts'

/** From the root of the repository, where npm runs its scripts. */
const PATH = 'docs/metrics.md'

const [argument, ...more] = process.argv.slice(2)
if (more.length > 0 || (argument !== undefined && argument !== '--check')) {
  process.stderr.write('usage: npm run docs [-- --check]\n')
  process.exit(64)
}

if (argument === undefined) {
  await writeFile(PATH, metricsPage)
} else if (await readFile(PATH, 'utf8').catch(() => undefined) !== metricsPage) {
  process.stderr.write(`${PATH} is not what the catalogue says: run \`npm run docs\` and commit it\n`)
  process.exitCode = 1
}
