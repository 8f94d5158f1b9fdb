// A line chart as SVG: no script, so that it reads in any browser, in a mail and on paper.

import { timeTicks, valueTicks } from './ticks.ts'

export interface Series {
  readonly name: string
  /** Names a CSS variable of the page. */
  readonly colour: 'a' | 'b' | 'c'
  readonly points: ReadonlyArray<readonly [seconds: number, value: number]>
}

export interface Band {
  readonly name: string
  readonly fromSeconds: number
  readonly seconds: number
}

export interface ChartSpec {
  readonly title: string
  readonly unit: string
  readonly series: readonly Series[]
  /** Shaded behind the lines, every second one. */
  readonly bands: readonly Band[]
  readonly seconds: number
}

const WIDTH = 900
const HEIGHT = 240
// Room for labels in the large type that a telephone needs.
const LEFT = 96
const RIGHT = 40
const TOP = 24
const BOTTOM = 28

export function drawChart ({ title, unit, series, bands, seconds }: ChartSpec): string {
  const most = series.reduce((high, { points }) => points.reduce((inner, [, value]) => Math.max(inner, value), high), 0)
  const values = valueTicks(most, unit)
  const top = values.at(-1)?.at ?? 1
  const span = Math.max(1, seconds)
  const x = (at: number): number => round(LEFT + at / span * (WIDTH - LEFT - RIGHT))
  const y = (value: number): number => round(HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM))
  return `<figure><figcaption>${escapeText(title)} <span>${series.map(({ name, colour }) =>
    `<i style="background:var(--${colour})"></i>${escapeText(name)}`).join(' ')}</span></figcaption>` +
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeText(title)}">` +
    bands.map((band, index) => drawBand(band, { x, isShaded: index % 2 === 1 })).join('') +
    values.map(({ at, label }) => `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(at)}" y2="${y(at)}"/>` +
      `<text x="${LEFT - 8}" y="${y(at) + 4}" text-anchor="end">${escapeText(label)}</text>`).join('') +
    timeTicks(span).map(({ at, label }) => `<text class="time" x="${x(at)}" y="${HEIGHT - 8}" text-anchor="middle">${label}</text>`).join('') +
    series.map(({ points, colour }) => `<polyline style="stroke:var(--${colour})" points="${points.map(([at, value]) =>
      `${x(at)},${y(value)}`).join(' ')}"/>`).join('') +
    '</svg></figure>'
}

function drawBand (
  { name, fromSeconds, seconds }: Band,
  { x, isShaded }: { readonly x: (at: number) => number, readonly isShaded: boolean }
): string {
  const width = round(x(fromSeconds + seconds) - x(fromSeconds))
  return `<rect class="${isShaded ? 'shade' : 'plain'}" x="${x(fromSeconds)}" y="${TOP}" width="${Math.max(0, width)}" ` +
    `height="${HEIGHT - TOP - BOTTOM}"/><text class="phase" x="${x(fromSeconds) + 4}" y="${TOP - 8}">${escapeText(name)}</text>`
}

export function escapeText (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

function round (value: number): number {
  return Math.round(value * 10) / 10
}
