// How a run stands, once a second: drawn on a terminal with keys to turn it, else one line of key=value.

import type { StoreControl } from '../judge/store-control.ts'
import type { Progress } from '../report/report.ts'
import { formatProgress } from '../report/text.ts'
import type { Controls } from '../run/simulation.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { holds, type Threshold } from '../scenario/threshold.ts'
import type { Shell } from './exit.ts'

export interface Live {
  begin (controls: Controls): void
  progress (progress: Progress): void
  /** A line that stays. */
  tell (line: string): void
  /** Gives the terminal back, and the store where a key took it away; more than once is no harm. */
  end (): Promise<void>
}

const MORE = 1.1

export function showLive (scenario: Scenario, { shell, isQuiet, control }: {
  readonly shell: Shell
  readonly isQuiet: boolean
  /** Of the store, where it can be turned. */
  readonly control: StoreControl | undefined
}): Live {
  const { terminal, tell } = shell
  if (isQuiet) return { begin: () => {}, progress: () => {}, tell: () => {}, end: async () => {} }
  if (terminal === undefined) {
    return { begin: () => {}, progress: (progress) => { tell(formatProgress(progress)) }, tell, end: async () => {} }
  }
  let release = (): void => {}
  let isOut = false
  return {
    begin (controls) {
      release = terminal.onKey((key) => {
        switch (key) {
          case 'o':
            if (control === undefined) return
            isOut = !isOut
            control.set({ outage: isOut }).catch(() => { isOut = !isOut })
            return
          case '+': return controls.resize(MORE)
          case '-': return controls.resize(1 / MORE)
          case 'f': return controls.finish()
        }
      })
    },
    progress (progress) {
      terminal.draw([
        ...formatScreen(scenario, progress),
        `keys         ${control === undefined ? '' : `o store ${isOut ? 'back' : 'away'}, `}+ more, - fewer devices, f finish, ctrl-c stop`
      ])
    },
    tell,
    async end () {
      release()
      release = () => {}
      if (isOut) await control?.set({ outage: false }).catch((cause: unknown) => { tell(String(cause)) })
      isOut = false
    }
  }
}

/** The lines of a screen. */
export function formatScreen ({ name, target, thresholds }: Scenario, progress: Progress): readonly string[] {
  const { seconds, phase, connected, counts, stored, fromPlan, lag } = progress
  const { captured, sent, acknowledged, unfinished, dropped, planned } = counts
  const waiting = stored === undefined ? '' : `, in the store ${stored}, waiting there ${Math.max(0, acknowledged - stored)}`
  const ms = (value: number): string => `${value.toFixed(0)} ms`
  return [
    `${name} to ${target.host}:${target.port}, ${seconds.toFixed(0)} s, ${phase}`,
    `devices      ${connected} connected, ${progress.reconnects} reconnects`,
    `images       ${captured} of about ${planned} captured, sent ${sent}, PUBACKed ${acknowledged}${waiting}`,
    `             waiting in devices ${unfinished}, dropped there ${dropped}`,
    `PUBACK       p50 ${ms(fromPlan.p50)}, p90 ${ms(fromPlan.p90)}, p99 ${ms(fromPlan.p99)} from the planned capture`,
    `simulator    lag p99 ${ms(lag.p99)}`,
    ...thresholds.map((threshold) => `threshold    ${threshold.text}: ${soFar(threshold, progress)}`)
  ]
}

function soFar (threshold: Threshold, { counts, fromPlan, lag, reconnects }: Progress): string {
  const { metric } = threshold
  const numbers: Readonly<Record<string, number>> = { ...counts, reconnects }
  const value = metric.kind === 'latency'
    ? { puback: fromPlan, lag, send: undefined, e2e: undefined }[metric.of]?.[metric.point]
    : numbers[metric.name]
  if (value === undefined) return 'told at the end'
  const amount = metric.kind === 'number' && metric.isShare ? value / Math.max(1, counts.captured) : value
  return `${holds(threshold, amount) ? 'holds' : 'does not hold'} so far`
}
