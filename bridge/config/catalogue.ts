import * as z from 'zod'
import { settings } from './settings.ts'

/** One value that can be set, under its name in the file, in the environment and on the command line. */
export interface Setting {
  /** As in the file, with dots: `uplink.capacity`. */
  readonly path: string
  /** `SLUICE_UPLINK_CAPACITY`. */
  readonly variable: string
  /** `uplink-capacity`; undefined for what must not stand in a list of processes, or is not built yet. */
  readonly flag: string | undefined
  readonly type: z.core.$ZodType
  readonly description: string
  /** As a person would write it. */
  readonly fallback: unknown
  /** What a null stands for. */
  readonly whenNull: string | undefined
  readonly isSecret: boolean
  readonly isBuilt: boolean
}

export interface Section {
  /** With dots, as `mqtt.tls`; empty for what stands at the top of the file. */
  readonly name: string
  readonly description: string
  readonly settings: readonly Setting[]
}

export const sections: readonly Section[] = readSections()
export const catalogue: readonly Setting[] = sections.flatMap((section) => section.settings)

const byPath = new Map(catalogue.map((setting) => [setting.path, setting]))

export function settingAt (path: string): Setting | undefined {
  return byPath.get(path)
}

export function isSection (path: string): boolean {
  return sections.some(({ name }) => name !== '' && name === path)
}

function readSections (): Section[] {
  const top: Setting[] = []
  const below: Section[] = []
  for (const [name, type] of Object.entries(settings.shape)) {
    const inner = type instanceof z.ZodPrefault ? type.unwrap() : undefined
    if (inner instanceof z.ZodObject) below.push(...readSection(name, type, inner))
    else top.push(readSetting(name, type))
  }
  return [{ name: '', description: '', settings: top }, ...below]
}

/** The section, and behind it those within it. */
function readSection (name: string, type: z.core.$ZodType, { shape }: z.ZodObject): Section[] {
  const settings: Setting[] = []
  const within: Section[] = []
  for (const [key, leaf] of Object.entries(shape)) {
    const path = `${name}.${key}`
    const inner = leaf instanceof z.ZodPrefault ? leaf.unwrap() : undefined
    if (inner instanceof z.ZodObject) within.push(...readSection(path, leaf, inner))
    else settings.push(readSetting(path, leaf))
  }
  return [{ name, description: z.globalRegistry.get(type)?.description ?? '', settings }, ...within]
}

function readSetting (path: string, type: z.core.$ZodType): Setting {
  const { description = '', whenNull, writeOnly, notBuilt } = z.globalRegistry.get(type) ?? {}
  const words = path.split('.').map((word) => word.replaceAll(/[A-Z]/g, (letter) => `_${letter}`)).join('_')
  const isSecret = writeOnly === true
  const isBuilt = notBuilt !== true
  return {
    path,
    variable: `SLUICE_${words.toUpperCase()}`,
    flag: isSecret || !isBuilt ? undefined : words.replaceAll('_', '-').toLowerCase(),
    type,
    description,
    fallback: type instanceof z.ZodPrefault ? type.def.defaultValue : undefined,
    whenNull: typeof whenNull === 'string' ? whenNull : undefined,
    isSecret,
    isBuilt
  }
}
