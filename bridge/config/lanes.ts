// The two settings about lanes. In a file they are written out; from the environment or as a flag they are one line:
//
//   uplink.lanes       alarm=40%,normal=40%,bulk=20%
//   uplink.laneRules   gate-*=alarm,devices/+/images/night-*=bulk   (with a slash it is a topic, else a device)

import * as z from 'zod'
import { LANES, isLane, type Lane } from '../entry.ts'
import { formatShare, parseShare } from './units.ts'

export type LaneShares = { readonly [lane in Lane]: number }

export interface LaneRule {
  readonly device?: string | undefined
  readonly topic?: string | undefined
  readonly lane: Lane
}

const SHARES_REFUSAL = 'is not a share for each lane; write it like { alarm: 40%, normal: 40%, bulk: 20% }'
const SUM_REFUSAL = 'promises more than the whole line; let the shares of the lanes add up to 100% or less'
const RULES_REFUSAL = 'is not a list of rules; write it like [{ device: "gate-*", lane: alarm }], ' +
  `with device or topic, and ${LANES.join(', ')}`
const DEVICE = /^[A-Za-z0-9._~*-]{1,64}$/
const TOPIC = /^(?:[A-Za-z0-9._~*-]+|\+)(?:\/(?:[A-Za-z0-9._~*-]+|\+))*(?:\/#)?$|^\/api\/v1\/images$/
const RULES_MAX = 100

const WRITTEN_SHARES = z.record(z.string(), z.union([z.string(), z.number()]))

/** 0 to 1 for each lane; one that is not named has nothing guaranteed. */
export const laneShares = (fallback: LaneShares, description: string) =>
  z.codec(z.union([z.string(), WRITTEN_SHARES], { error: () => SHARES_REFUSAL }), z.custom<LaneShares>(), {
    decode (given, context) {
      const shares = readShares(typeof given === 'string' ? readPairs(given) : Object.entries(given))
      if (shares === undefined) return refuse(context, given, SHARES_REFUSAL)
      const sum = LANES.reduce((sum, lane) => sum + shares[lane], 0)
      return sum > 1 + 1e-9 ? refuse(context, given, SUM_REFUSAL) : shares
    },
    encode: writeShares
  }).prefault(writeShares(fallback)).meta({ description })

/** The first rule that fits an image gives its lane. */
export const laneRules = (description: string) =>
  z.codec(z.union([z.string(), z.array(z.record(z.string(), z.string()))], { error: () => RULES_REFUSAL }),
    z.custom<readonly LaneRule[]>(), {
      decode (given, context) {
        const rules = typeof given === 'string'
          ? readPairs(given).map(([pattern, lane]) =>
            ({ [pattern.includes('/') ? 'topic' : 'device']: pattern, lane: String(lane) }))
          : given
        const read = rules.flatMap((rule) => readRule(rule) ?? [])
        const isGood = read.length === rules.length && read.length <= RULES_MAX
        return isGood ? read : refuse(context, given, RULES_REFUSAL)
      },
      encode: (rules) => rules.map(({ device, topic, lane }) => device === undefined ? { topic: topic ?? '', lane } : { device, lane })
    }).prefault([]).meta({ description })

function readShares (pairs: ReadonlyArray<readonly [string, unknown]>): LaneShares | undefined {
  const shares = { alarm: 0, normal: 0, bulk: 0 }
  for (const [lane, written] of pairs) {
    const share = parseShare(String(written).trim())
    if (!isLane(lane) || share === undefined || share > 1) return undefined
    shares[lane] = share
  }
  return pairs.length === 0 ? undefined : shares
}

function writeShares (shares: LaneShares): Record<Lane, string> {
  const [alarm, normal, bulk] = LANES.map((lane) => formatShare(shares[lane]))
  return { alarm: alarm ?? '', normal: normal ?? '', bulk: bulk ?? '' }
}

function readRule ({ device, topic, lane, ...more }: Readonly<Record<string, string>>): LaneRule | undefined {
  if (!isLane(lane) || Object.keys(more).length > 0) return undefined
  if (device !== undefined && topic === undefined && DEVICE.test(device)) return { device, lane }
  return device === undefined && topic !== undefined && TOPIC.test(topic) ? { topic, lane } : undefined
}

/** `a=1,b=2`. */
function readPairs (text: string): Array<readonly [string, string]> {
  return text.split(',').filter((pair) => pair.trim() !== '').map((pair) => {
    const at = pair.lastIndexOf('=')
    return [pair.slice(0, Math.max(0, at)).trim(), pair.slice(at + 1).trim()] as const
  })
}

function refuse (context: z.core.ParsePayload, input: unknown, message: string): never {
  context.issues.push({ code: 'custom', message, input })
  return z.NEVER
}
