import type { Command } from 'commander'

/** Puts examples at the head of a command's help: most people look for the one that is nearly theirs. */
export function addExamples (command: Command, examples: readonly string[]): Command {
  return command.addHelpText('before', `Examples:\n${examples.map((example) => `  $ ${example}\n`).join('')}`)
}
