// What is to come, said while there is time to do something about it: by the arithmetic of the forecast, from what came
// in lately and the timetable ahead. A start says the same from what the spool remembers (start-advice.ts).

import { formatLine, formatSpan } from './amounts.ts'
import { LANES } from './entry.ts'
import type { Observe } from './events.ts'
import { fullAfter, WEEK_SECONDS } from './filling.ts'
import { newImagesUp } from './lane-forecast.ts'
import { Lasting } from './lasting.ts'
import { constantPace, type PaceAt } from './plan/pace.ts'
import { outgoing, type Facts } from './status.ts'
import { WARNING_KINDS, type Warning, type WarningKind } from './warning-status.ts'

interface Seen {
  readonly sentence: string
  readonly fullAt: number | undefined
  /** Before it is said, it has to last so long. */
  readonly lastsMs: number
}

const HOUR_MS = 3_600_000
/** Devices send in step: a shorter time would be a burst of them, or a pause. */
const KNOWN_MS_MIN = 60_000
const SAMPLE_EVERY_MS = 60_000
const LASTS_MS = 5 * 60_000
/** Of the time that is left, waiting to be sure may take this part. */
const LASTS_SHARE = 0.1

interface Sample {
  readonly at: number
  readonly bytes: number
}

/** Looked at every few seconds; says what has come to last, says it again seldom, and says when it is over. */
export class Outlook {
  readonly #observe: Observe
  readonly #lasting: Readonly<Record<WarningKind, Lasting>> = { filling: new Lasting(), late: new Lasting() }
  #samples: readonly Sample[] = []
  #warnings: readonly Warning[] = []

  constructor (observe: Observe) {
    this.#observe = observe
  }

  get warnings (): readonly Warning[] { return this.#warnings }

  look (facts: Facts): void {
    if (facts.spool.paused !== undefined) return this.#hold(facts.now)
    const outAt = outgoing(facts)
    const seen = { filling: this.#filling(facts, outAt), late: seeLate(facts, outAt) }
    this.#warnings = WARNING_KINDS.flatMap((kind) => this.#judge(kind, seen[kind], facts.now) ?? [])
  }

  /** Nothing comes in, and the verdict says why: what was said has come true, and is not over. */
  #hold (now: number): void {
    for (const lasting of Object.values(this.#lasting)) {
      if (lasting.since !== undefined) lasting.look(now, Infinity)
    }
    this.#warnings = []
  }

  #judge (kind: WarningKind, seen: Seen | undefined, now: number): Warning | undefined {
    const lasting = this.#lasting[kind]
    const said = this.#warnings.find((warning) => warning.kind === kind)
    const change = lasting.look(now, seen?.lastsMs)
    const { sentence = '', fullAt } = seen ?? said ?? {}
    if (change === 'begun' || change === 'again') this.#observe({ kind: 'operator-advised', detail: sentence })
    if (change === 'over') this.#observe({ kind: 'advice-over', detail: OVER[kind] })
    return lasting.since === undefined || sentence === '' ? undefined : { kind, since: lasting.since, sentence, fullAt }
  }

  /** At the pace of the last hour, as far as it was seen. */
  #filling (facts: Facts, outAt: PaceAt): Seen | undefined {
    const { now, flow, spool } = facts
    const bytes = LANES.reduce((sum, lane) => sum + flow.lanes[lane].taken.bytes, 0)
    const [first] = this.#sample({ at: now, bytes })
    if (first === undefined || now - first.at < KNOWN_MS_MIN) return undefined
    const bytesPerSecond = (bytes - first.bytes) / ((now - first.at) / 1000)
    const fullSeconds = fullAfter(spool, { at: now, inAt: constantPace(bytesPerSecond), outAt })
    if (fullSeconds === undefined || fullSeconds > WEEK_SECONDS) return undefined
    const fullAt = now + fullSeconds * 1000
    const sentence = `${formatLine(bytesPerSecond)} of images came in over the last ${formatSpan((now - first.at) / 1000)}, ` +
      `more than can go out: at that pace the spool is full in about ${formatSpan(fullSeconds)}; "sluice plan" shows ` +
      'what would change that'
    return { sentence, fullAt, lastsMs: Math.min(LASTS_MS, fullSeconds * 1000 * LASTS_SHARE) }
  }

  /** One a minute of the last hour; those of a clock that was set back are of no use. */
  #sample (sample: Sample): readonly Sample[] {
    const kept = this.#samples.filter(({ at }) => at > sample.at - HOUR_MS && at <= sample.at)
    const last = kept.at(-1)
    this.#samples = last === undefined || sample.at - last.at >= SAMPLE_EVERY_MS ? [...kept, sample] : kept
    return this.#samples
  }
}

const OVER: { readonly [kind in WarningKind]: string } = {
  filling: 'at the pace of the last hour the spool does not fill up any more',
  late: 'images of now will be in the store within the target again'
}

/** In the lanes that are used; in one whose figure cannot be known some images miss the target for sure. */
function seeLate (facts: Facts, outAt: PaceAt): Seen | undefined {
  const upIn = newImagesUp(facts, outAt)
  const late = LANES.filter((lane) =>
    facts.flow.lanes[lane].taken.count > 0 && (upIn[lane] ?? Infinity) * 1000 > facts.targetMs)
  if (late.length === 0) return undefined
  const lanes = late.map((lane) => {
    const seconds = upIn[lane]
    return seconds === undefined ? `${lane} (not known when)` : `${lane} (about ${formatSpan(seconds)})`
  })
  const sentence = `images of now will not be in the store within ${formatSpan(facts.targetMs / 1000)} (slo.target): ` +
    `in lane ${lanes.join(', ')}`
  return { sentence, fullAt: undefined, lastsMs: LASTS_MS }
}
