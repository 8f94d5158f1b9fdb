/** One thing wrong with the configuration, for the person who can put it right. */
export interface Problem {
  /** As in the file, with dots; empty where the whole file is meant. */
  readonly path: string
  /** A predicate and what to do next: `is not a size; write it like 8MB`. */
  readonly message: string
  /** What was written, quoted; undefined where nothing was, or where it is a secret. */
  readonly value?: string | undefined
  /** `sluice.yaml:12`, `SLUICE_UPLINK_SHARE`, `--uplink-share` or `default`. */
  readonly source?: string | undefined
}

/** Everything that is wrong, at once. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[]

  constructor (problems: readonly Problem[]) {
    const lines = problems.map((problem) => `  ${formatProblem(problem)}`)
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
    super(`the configuration has ${count}:\n${lines.join('\n')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** `uplink.capacity: "40 Mbti" is not a rate; write it like 40Mbit (sluice.yaml:12)`. */
export function formatProblem ({ path, value, message, source }: Problem): string {
  const sentence = value === undefined ? message : `${shorten(value)} ${message}`
  const place = source === undefined ? '' : ` (${source})`
  return `${path === '' ? '' : `${path}: `}${sentence}${place}`
}

function shorten (value: string): string {
  return value.length > 80 ? `${value.slice(0, 77)}...` : value
}

/** `unknown key; did you mean mqtt.listen?` */
export function unknownName (what: 'key' | 'variable', name: string, names: readonly string[]): string {
  const meant = suggest(name, names)
  return `unknown ${what}; ${meant === undefined ? 'remove it' : `did you mean ${meant}?`}`
}

/** The name most likely meant: other capitals, a slip of the keys, or the right key in the wrong section. */
function suggest (unknown: string, names: readonly string[]): string | undefined {
  const wanted = unknown.toLowerCase()
  const key = wanted.replace(/^.*\.|^sluice_/, '')
  const slips = (name: string): number =>
    name.endsWith(`.${key}`) || name.endsWith(`_${key}`) ? 1 : distance(wanted, name)
  const [best] = names
    .map((name) => ({ name, slips: slips(name.toLowerCase()) }))
    .sort((one, other) => one.slips - other.slips)
  return best !== undefined && best.slips <= Math.max(1, wanted.length / 4) ? best.name : undefined
}

/** Letters to put in, take out, change or swap with their neighbour (optimal string alignment). */
function distance (one: string, other: string): number {
  let before: number[] = []
  let above = Array.from({ length: other.length + 1 }, (_, column) => column)
  for (let row = 1; row <= one.length; row++) {
    const current = [row]
    for (let column = 1; column <= other.length; column++) {
      const changed = one[row - 1] === other[column - 1] ? 0 : 1
      const swapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      current[column] = Math.min(
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + changed,
        swapped ? (before[column - 2] ?? Infinity) + 1 : Infinity)
    }
    before = above
    above = current
  }
  return above[other.length] ?? 0
}
