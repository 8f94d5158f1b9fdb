// The report as one page: nothing is loaded from anywhere, and it follows the reader's light or dark.

import { drawChart, escapeText, type Band, type ChartSpec } from './chart.ts'
import { hintOf } from './hint.ts'
import { formatValue, hasHeld, type Outcome } from './outcome.ts'
import type { Sample } from './report.ts'
import { formatInvalid, listSections } from './text.ts'

export function formatPage (outcome: Outcome): string {
  const { report } = outcome
  const title = `${report.scenario}: ${hasHeld(outcome) ? 'held' : 'NOT held'}`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeText(title)}</title><style>${STYLE}</style></head><body>
${report.isValid ? '' : `<p class="bad">${escapeText(formatInvalid(report))}</p>`}
<h1 class="${hasHeld(outcome) ? 'good' : 'bad'}">${escapeText(title)}</h1>
<p>${escapeText(hintOf(outcome))}</p>
${formatThresholds(outcome)}
${chartsOf(outcome).map(drawChart).join('\n')}
<h2>Summary</h2>
${formatSummary(outcome)}
</body></html>
`
}

function formatThresholds ({ thresholds }: Outcome): string {
  if (thresholds.length === 0) return ''
  const rows = thresholds.map((threshold) => `<tr class="${threshold.holds ? 'good' : 'bad'}"><td>${threshold.holds ? 'held' : 'NOT held'}</td>` +
    `<td><code>${escapeText(threshold.text)}</code></td><td>${escapeText(formatValue(threshold))}</td></tr>`)
  return `<table>${rows.join('')}</table>`
}

function formatSummary (outcome: Outcome): string {
  const rows = listSections(outcome).map(({ name, text }) => `<tr><th>${escapeText(name)}</th><td>${escapeText(text)}</td></tr>`)
  return `<table class="summary">${rows.join('\n')}</table>`
}

function chartsOf ({ report }: Outcome): readonly ChartSpec[] {
  const { samples, phases, seconds } = report
  const bands: readonly Band[] = phases
  const line = (pick: (sample: Sample) => number | undefined): ReadonlyArray<readonly [number, number]> =>
    samples.flatMap((sample) => {
      const value = pick(sample)
      return value === undefined ? [] : [[sample.seconds, value] as const]
    })
  const stored = line(({ acknowledged, stored }) =>
    stored === undefined ? undefined : Math.max(0, acknowledged - stored))
  return [
    {
      title: 'Latency, planned capture to PUBACK',
      unit: 'ms',
      bands,
      seconds,
      series: [{ name: 'p50', colour: 'a', points: line(({ p50 }) => p50) }, { name: 'p99', colour: 'b', points: line(({ p99 }) => p99) }]
    },
    {
      title: 'Backlog',
      unit: '',
      bands,
      seconds,
      series: [
        { name: 'waiting in devices', colour: 'a', points: line(({ unfinished }) => unfinished) },
        ...(stored.length > 0 ? [{ name: 'PUBACKed, not yet in the store', colour: 'b', points: stored } as const] : [])
      ]
    },
    {
      title: 'Throughput',
      unit: '/s',
      bands,
      seconds,
      series: [
        { name: 'captured', colour: 'a', points: rates(samples, ({ captured }) => captured) },
        { name: 'PUBACKed', colour: 'b', points: rates(samples, ({ acknowledged }) => acknowledged) }
      ]
    },
    { title: 'Connections', unit: '', bands, seconds, series: [{ name: 'devices', colour: 'c', points: line(({ connected }) => connected) }] }
  ]
}

function rates (
  samples: readonly Sample[], pick: (sample: Sample) => number
): ReadonlyArray<readonly [number, number]> {
  return samples.map((sample, index) => {
    const before = samples[index - 1]
    const seconds = sample.seconds - (before?.seconds ?? 0)
    const count = pick(sample) - (before === undefined ? 0 : pick(before))
    return [sample.seconds, seconds > 0 ? count / seconds : 0] as const
  })
}

const STYLE = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --faint: #d8dee4; --shade: #f1f4f8; --a: #0969da; --b: #bc4c00; --c: #1a7f37; --bad: #cf222e }
@media (prefers-color-scheme: dark) {
  :root { --paper: #15181c; --ink: #e6edf3; --faint: #3a4149; --shade: #20262d; --a: #58a6ff; --b: #f0883e; --c: #3fb950; --bad: #ff7b72 }
}
body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; max-width: 940px; margin: 2em auto; padding: 0 1em }
h1.good, tr.good td:first-child { color: var(--c) } h1.bad, p.bad, tr.bad td:first-child { color: var(--bad) }
td { padding: 0 1.5em 0 0 } figure { margin: 1.5em 0 } figcaption { font-weight: 600 } figcaption span { font-weight: 400; margin-left: 1em }
figcaption i { display: inline-block; width: 1em; height: 3px; margin: 0 .4em .25em .8em }
svg { width: 100%; height: auto; display: block } svg text { fill: var(--ink); font-size: 11px } svg text.phase { font-size: 12px; font-weight: 600 }
@media (max-width: 600px) { svg text, svg text.phase { font-size: 22px } }
polyline { fill: none; stroke-width: 1.5 } polyline + polyline { stroke-dasharray: 6 4 } .grid { stroke: var(--faint) } .shade { fill: var(--shade) } .plain { fill: none }
table.summary { background: var(--shade); padding: .8em 1em; width: 100%; font: 12.5px/1.6 ui-monospace, monospace }
table.summary th { text-align: left; vertical-align: top; padding: 0 1em 0 0; font-weight: 600 }
table.summary td { padding: 0; white-space: pre-wrap; overflow-wrap: anywhere }
`
