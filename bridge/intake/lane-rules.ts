import type { Arrival, Lane } from '../entry.ts'

/**
 * Exactly one of the two patterns. `device` is matched with the deviceId, `topic` with the MQTT topic or HTTP path:
 * level by level, with MQTT's `+` and `#`. In both `*` stands for any letters of one level.
 */
export interface LaneRule {
  readonly device?: string | undefined
  readonly topic?: string | undefined
  readonly lane: Lane
}

/** The lane of the first rule that fits; undefined where none does. */
export function laneByRule (
  rules: readonly LaneRule[], { deviceId, sourceTopic }: Pick<Arrival, 'deviceId' | 'sourceTopic'>
): Lane | undefined {
  return rules.find(({ device, topic }) =>
    device === undefined ? fitsTopic(topic ?? '', sourceTopic) : fitsLevel(device, deviceId))?.lane
}

function fitsTopic (filter: string, topic: string): boolean {
  const wanted = filter.split('/')
  const levels = topic.split('/')
  const rest = wanted.indexOf('#')
  const fixed = rest < 0 ? wanted : wanted.slice(0, rest)
  // `images/#` takes in `images` itself [MQTT 4.7.1.2].
  if (rest < 0 ? levels.length !== fixed.length : levels.length < fixed.length) return false
  return fixed.every((pattern, at) => pattern === '+' || fitsLevel(pattern, levels[at] ?? ''))
}

/** By hand: a regular expression with several stars may take exponential time. */
function fitsLevel (pattern: string, text: string): boolean {
  const [first = '', ...parts] = pattern.split('*')
  const last = parts.pop()
  if (last === undefined) return pattern === text
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false
  let at = first.length
  for (const part of parts) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at + last.length <= text.length
}
