// A line chart as SVG: no script, so that it reads in any browser, in a mail and on paper.

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
const LEFT = 70
const RIGHT = 16
const TOP = 24
const BOTTOM = 28
const TICKS = 4

export function drawChart ({ title, unit, series, bands, seconds }: ChartSpec): string {
  const top = niceCeiling(series.reduce((most, { points }) =>
    points.reduce((inner, [, value]) => Math.max(inner, value), most), 0))
  const span = Math.max(1, seconds)
  const x = (at: number): number => round(LEFT + at / span * (WIDTH - LEFT - RIGHT))
  const y = (value: number): number => round(HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM))
  const ticks = Array.from({ length: TICKS + 1 }, (_, index) => index / TICKS)
  return `<figure><figcaption>${escapeText(title)} <span>${series.map(({ name, colour }) =>
    `<i style="background:var(--${colour})"></i>${escapeText(name)}`).join(' ')}</span></figcaption>` +
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeText(title)}">` +
    bands.map((band, index) => drawBand(band, { x, isShaded: index % 2 === 1 })).join('') +
    ticks.map((share) => `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(share * top)}" y2="${y(share * top)}"/>` +
      `<text x="${LEFT - 8}" y="${y(share * top) + 4}" text-anchor="end">${formatTick(share * top)} ${escapeText(unit)}</text>` +
      `<text x="${x(share * span)}" y="${HEIGHT - 8}" text-anchor="middle">${formatTick(share * span)} s</text>`).join('') +
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

/** The next of 1, 2, 5 times a power of ten. */
function niceCeiling (value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power
}

function formatTick (value: number): string {
  return value >= 10_000 ? `${Number((value / 1000).toPrecision(3))}k` : String(Number(value.toPrecision(3)))
}

function round (value: number): number {
  return Math.round(value * 10) / 10
}
