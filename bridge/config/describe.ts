import { stringify } from 'yaml'
import * as z from 'zod'
import { sections, type Section, type Setting } from './catalogue.ts'
import { resolveConfig } from './read-config.ts'
import { settings } from './settings.ts'
import type { Given, Sources } from './sources.ts'

/** One value as it holds, and who says so. */
export interface Described {
  readonly path: string
  /** In units for people; secrets as ******. */
  readonly value: unknown
  /** `sluice.yaml:12`, `SLUICE_UPLINK_SHARE`, `--uplink-share` or `default`. */
  readonly source: string
}

const HIDDEN = '******'

/** Every value with its source. Throws a ConfigError as readConfig does. */
export function describeConfig (sources: Sources): readonly Described[] {
  const { given } = resolveConfig(sources)
  return sections.flatMap((section) => built(section).map((setting) => {
    const one = given.get(setting.path)
    return {
      path: setting.path,
      value: one === undefined ? setting.fallback : readable(one),
      source: one?.source ?? 'default'
    }
  }))
}

/** As a file would have it, with the source of each value behind it. */
export function formatDescribed (described: readonly Described[]): string {
  const byPath = new Map(described.map((one) => [one.path, one]))
  return sections.map((section) => [
    ...head(section),
    ...built(section).map((setting) => {
      const { value = null, source = 'default' } = byPath.get(setting.path) ?? {}
      const meaning = value === null && setting.whenNull !== undefined ? `: ${setting.whenNull}` : ''
      return `${line(section, setting, value).padEnd(50)} # ${source}${meaning}`
    })
  ].join('\n')).join('\n') + '\n'
}

/** A whole file of defaults with what each of them means. */
export function exampleConfig (): string {
  const pages = sections.map((section) => [
    ...(section.name === '' ? [] : [`${indentOf(section).slice(2)}# ${section.description}`]),
    ...head(section),
    ...built(section).flatMap((setting) => {
      const indent = indentOf(section)
      const meaning = setting.whenNull === undefined ? '' : ` Null: ${setting.whenNull}.`
      return [`${indent}# ${setting.description}${meaning}`, line(section, setting, setting.fallback)]
    })
  ].join('\n'))
  return `${INTRODUCTION}\n${pages.join('\n\n')}\n`
}

const INTRODUCTION = `\
# Sluice: every setting with its default. Keep what you change and leave the rest out.
# Each can also be given in the environment (uplink.capacity: SLUICE_UPLINK_CAPACITY) or as a
# flag (--uplink-capacity). Check the file with: sluice config validate -c sluice.yaml
`

/** A JSON schema (2020-12) of the file, for editors. */
export function configSchema (): object {
  return z.toJSONSchema(settings, { io: 'input' })
}

function built ({ settings }: Section): Setting[] {
  return settings.filter(({ isBuilt }) => isBuilt)
}

function head (section: Section): string[] {
  return section.name === '' ? [] : [`${indentOf(section).slice(2)}${section.name.split('.').at(-1) ?? ''}:`]
}

/** Of the settings in it. */
function indentOf ({ name }: Section): string {
  return name === '' ? '' : '  '.repeat(name.split('.').length)
}

function line (section: Section, { path }: Setting, value: unknown): string {
  const key = `${indentOf(section)}${path.split('.').at(-1) ?? ''}`
  return `${key}: ${stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim()}`
}

/** As we understood it, so that a person sees 40Mbit where 40000000bit was written. */
function readable ({ setting: { type, isSecret }, value }: Given): unknown {
  if (isSecret && value !== null) return HIDDEN
  return z.encode(type, z.parse(type, value))
}
