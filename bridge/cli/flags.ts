import { existsSync } from 'node:fs'
import { Option, type Command } from 'commander'
import { catalogue, sections } from '../config/catalogue.ts'
import type { Sources } from '../config/sources.ts'
import type { Options } from './output.ts'
import type { Shell } from './shell.ts'

const FILES = ['sluice.yaml', '/etc/sluice/sluice.yaml']

/** Gives a command -c and a flag for every setting. */
export function addSettings (command: Command): Command {
  command.option('-c, --config <file>', `configuration file (else ${FILES.join(' or ')} if there)`)
  for (const section of sections) {
    for (const { flag, description, fallback, whenNull } of section.settings) {
      if (flag === undefined) continue
      const standard = fallback === null ? whenNull ?? 'none' : formatFallback(fallback) || 'none'
      command.addOption(new Option(`--${flag} <value>`, `${description} (${standard})`)
        .helpGroup(`Settings${section.name === '' ? '' : `, ${section.name}`}:`))
    }
  }
  return command
}

/** As the flag takes it. */
function formatFallback (fallback: unknown): string {
  if (typeof fallback !== 'object' || fallback === null || Array.isArray(fallback)) return [fallback].flat().join(',')
  return Object.entries(fallback).map((pair) => pair.join('=')).join(',')
}

/** Everything that the command line, the environment and a file say about settings. */
export function readSources (options: Options, { env }: Shell): Sources {
  const flags: Record<string, string> = {}
  for (const { path, flag } of catalogue) {
    const value = flag === undefined ? undefined : options[attributeName(flag)]
    if (typeof value === 'string') flags[path] = value
  }
  const named = options['config']
  return { flags, env, file: typeof named === 'string' ? named : findConfigFile() }
}

export function findConfigFile (): string | undefined {
  return FILES.find((file) => existsSync(file))
}

// Commander keeps --mqtt-listen as `mqttListen`.
function attributeName (flag: string): string {
  return new Option(`--${flag} <value>`).attributeName()
}
