// `npm run dashboards` writes the dashboards; with --check it says whether those in the tree are up to date.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { assemble } from './assemble.ts'
import { site } from './site.ts'

/** From the root of the repository, where npm runs its scripts. */
const files = [{ path: 'dashboards/generated/site.json', dashboard: site }]

const [argument, ...more] = process.argv.slice(2)
if (more.length > 0 || (argument !== undefined && argument !== '--check')) {
  process.stderr.write('usage: npm run dashboards [-- --check]\n')
  process.exit(64)
}

for (const { path, dashboard } of files) {
  const text = `${JSON.stringify(assemble(dashboard), null, 2)}\n`
  if (argument === undefined) {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  } else if (await readFile(path, 'utf8').catch(() => undefined) !== text) {
    process.stderr.write(`${path} is not what the sources say: run \`npm run dashboards\` and commit it\n`)
    process.exitCode = 1
  }
}
