// The only file that touches process.env, process.exit and signals.

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { explainFailure } from './cli/exit.ts'
import { run } from './cli/program.ts'
import type { Shell } from './cli/shell.ts'

let reportFault = (error: unknown): void => {
  shell.say(`sluice: internal error: ${error instanceof Error ? error.message : String(error)}`)
}

const shell: Shell = {
  env: process.env,
  version: readVersion(import.meta.dirname),
  isTerminal: process.stdout.isTTY === true,
  print: (line) => { process.stdout.write(`${line}\n`) },
  say: (line) => { process.stderr.write(`${line}\n`) },
  onSignal (listener) {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, listener)
  },
  onFault (report) { reportFault = report },
  exit: (code) => process.exit(code)
}

// Whoever reads our output may go away (`sluice images list | head`); a service does not end for that.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
process.on('uncaughtException', endInFault)
process.on('unhandledRejection', endInFault)

process.exit(await run(process.argv.slice(2), shell))

// We no longer know our own state. What is acknowledged is on disk, and a restart finds it there.
function endInFault (error: unknown): never {
  try {
    reportFault(error)
  } finally {
    process.exit(explainFailure(error).code)
  }
}

/** From the package.json above, which is one folder further up once this file is compiled. */
function readVersion (directory: string): string {
  const parent = dirname(directory)
  try {
    const { version } = JSON.parse(readFileSync(join(parent, 'package.json'), 'utf8')) as { version: string }
    return version
  } catch (error) {
    if (parent === directory) throw error
    return readVersion(parent)
  }
}
