// The only file of the simulator that touches process.env, exit codes and signals.

import { EXIT, type Shell } from './cli/exit.ts'
import { openTerminal } from './cli/terminal.ts'
import { explainNoStart } from './run/descriptors.ts'

process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true' // no matter of the user's

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => stop.abort()) // the report is still printed; a second one ends the process
}
const shell: Shell = {
  print: (text) => { process.stdout.write(`${text}\n`) },
  tell: (text) => { process.stderr.write(`${text}\n`) },
  env: process.env,
  terminal: process.stderr.isTTY && process.stdin.isTTY
    ? openTerminal(process.stdin, process.stderr, () => { process.kill(process.pid, 'SIGINT') })
    : undefined
}
const noStart = explainNoStart()
if (noStart === undefined) {
  const { runProgram } = await import('./cli/program.ts') // not before, or the loader itself fails, with a stack trace
  process.exitCode = await runProgram(process.argv.slice(2), shell, stop.signal)
} else {
  shell.tell(noStart)
  process.exitCode = EXIT.usage
}
