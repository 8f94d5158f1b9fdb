import { run } from '../../bridge/cli/program.ts'

/** `sluice` with these arguments, in this process. */
export async function runSluice (
  args: readonly string[]
): Promise<{ readonly code: number, readonly stdout: string, readonly stderr: string }> {
  const [printed, said]: [string[], string[]] = [[], []]
  const code = await run(args, {
    env: {},
    version: 'test',
    isTerminal: false,
    print: (line) => { printed.push(line) },
    say: (line) => { said.push(line) },
    onSignal: () => {},
    onFault: () => {},
    exit: () => { throw new Error('nothing here ends the process') }
  })
  return { code, stdout: printed.join('\n'), stderr: said.join('\n') }
}
