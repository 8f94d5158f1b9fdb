// What people wrote, before it is read: a file's YAML, and flags in the same shape.

export type Tree = { readonly [key: string]: unknown }

/** What flags say of devices is said of every group; thresholds add up; everything else replaces. */
export function layOver (file: Tree, flags: Tree): Tree {
  const { devices = {}, thresholds = [], uplink, ...rest } = flags
  const groups = Array.isArray(file['devices']) ? file['devices'] as unknown[] : [file['devices'] ?? {}]
  return {
    ...file,
    ...rest,
    devices: groups.map((group) => isTree(group) && isTree(devices) ? { ...group, ...devices } : group),
    thresholds: [...listOf(file['thresholds']), ...listOf(thresholds)],
    ...layUplink(file['uplink'], uplink)
  }
}

/** Whether a path of the whole was said by a flag. */
export function sourceOf (path: string, flags: Tree): 'flag' | 'file' {
  const keys = path.split(/[.[\]]+/).filter((key) => key !== '' && !/^\d+$/.test(key))
  const found = keys.reduce<unknown>((inner, key) => isTree(inner) ? inner[key] : inner, flags)
  return found === undefined || keys.length === 0 ? 'file' : 'flag'
}

export function isTree (value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A copy without what stands at these paths; where nothing stands, without what it would stand in. */
export function without (tree: Tree, paths: ReadonlyArray<readonly PropertyKey[]>): Tree {
  const copy = structuredClone(tree)
  const lists = new Set<unknown[]>()
  for (const path of paths) cut(copy, path, lists)
  for (const list of lists) list.splice(0, list.length, ...list.filter(() => true)) // a filter passes over what is gone
  return copy
}

function cut (tree: Tree, path: readonly PropertyKey[], lists: Set<unknown[]>): void {
  const [last, ...before] = [...path].reverse()
  if (last === undefined) return
  before.reverse()
  const holder = before.reduce<unknown>((inner, key) => (inner as Tree | undefined)?.[key as string], tree)
  if (typeof holder !== 'object' || holder === null || !(last in holder)) return cut(tree, before, lists)
  Reflect.deleteProperty(holder, last)
  if (Array.isArray(holder)) lists.add(holder)
}

function layUplink (file: unknown, flags: unknown): Tree {
  if (flags === undefined) return file === undefined ? {} : { uplink: file }
  if (flags === null) return { uplink: undefined }
  if (!isTree(file) || !isTree(flags)) return { uplink: flags }
  const { events, ...rest } = file
  return { uplink: { ...rest, ...(flags['outage'] === undefined && events !== undefined && { events }), ...flags } }
}

// What is no list is left for the schema to refuse.
function listOf (value: unknown): readonly unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? value as unknown[] : [value]
}
