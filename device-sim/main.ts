// The only file of the simulator that touches process.env, exit codes and signals.

import { runProgram } from './cli/program.ts'
import { openTerminal } from './cli/terminal.ts'

process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true' // no matter of the user's

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => stop.abort()) // the report is still printed; a second one ends the process
}
process.exitCode = await runProgram(process.argv.slice(2), {
  print: (text) => { process.stdout.write(`${text}\n`) },
  tell: (text) => { process.stderr.write(`${text}\n`) },
  env: process.env,
  terminal: process.stderr.isTTY && process.stdin.isTTY
    ? openTerminal(process.stdin, process.stderr, () => { process.kill(process.pid, 'SIGINT') })
    : undefined
}, stop.signal)
