// Panels as Grafana draws them today (timeseries, stat, heatmap, table), each an object with
// `generate()`, which is all that a row of grafana-dash-gen asks of a panel.
//
// Shapes: @grafana/schema, raw/dashboard and raw/composable/*/panelcfg.

import { override, unitOverride } from './looks.ts'

export const DATASOURCE = { type: 'prometheus', uid: '$datasource' } as const

/** Ids of units as Grafana's getValueFormat knows them. */
export const units = {
  count: 'short',
  seconds: 's',
  bytes: 'decbytes',
  bitsPerSecond: 'bps',
  share: 'percentunit',
  imagesPerSecond: 'suffix:images/s',
  perSecond: 'suffix:/s',
  flag: 'bool_yes_no'
} as const

export interface Query {
  readonly expr: string
  readonly legend: string
  /** `limit`: a dashed red line. `foremost`: a bold line drawn over the others. `faint`: a grey one to compare with. */
  readonly look?: 'limit' | 'foremost' | 'faint'
  /** Where it is not that of the panel. */
  readonly unit?: PanelOptions['unit']
}

export interface PanelOptions {
  /** A question an operator asks. */
  readonly title: string
  /** What it shows, where the title leaves that open. */
  readonly shows?: string
  readonly good: string
  readonly ifNot: string
  readonly unit: typeof units[keyof typeof units]
  /** Of the 24 columns of a dashboard. */
  readonly width: number
  readonly queries: readonly Query[]
  /** Shortest time that one point stands for, such as `5m`, where a moment says too little. */
  readonly interval?: string
}

export interface PanelJson {
  readonly type: 'timeseries' | 'stat' | 'heatmap' | 'table' | 'state-timeline'
  readonly title: string
  readonly description: string
  readonly datasource: typeof DATASOURCE
  readonly interval?: string
  /** x and y are given when the rows are laid out. */
  readonly gridPos: { readonly x: number, readonly y: number, readonly w: number, readonly h: number }
  readonly fieldConfig: {
    readonly defaults: Readonly<Record<string, unknown>> & { readonly unit: string }
    readonly overrides: readonly unknown[]
  }
  readonly options: Readonly<Record<string, unknown>>
  readonly targets: ReadonlyArray<Readonly<Record<string, unknown>> & { readonly expr: string }>
  readonly transformations?: readonly unknown[]
}

export interface Panel {
  generate (): PanelJson
}

const HEIGHT = 8

export interface TimeseriesOptions extends PanelOptions {
  readonly stacked?: boolean
  readonly max?: number
  /** Values at which dashed lines are drawn across, coloured as how bad it is from there on. */
  readonly lines?: readonly Threshold[]
}

export function timeseries (options: TimeseriesOptions): Panel {
  const { unit, queries, stacked = false, max, lines } = options
  const custom = {
    drawStyle: 'line',
    lineInterpolation: unit === units.flag ? 'stepAfter' : 'linear',
    lineWidth: 1,
    fillOpacity: stacked ? 30 : 5,
    showPoints: 'never',
    spanNulls: false,
    stacking: { mode: stacked ? 'normal' : 'none', group: 'A' },
    ...(lines === undefined ? {} : { thresholdsStyle: { mode: 'dashed' } })
  }
  const thresholds = lines === undefined
    ? {}
    : { thresholds: { mode: 'absolute', steps: [{ color: 'transparent', value: null }, ...lines] } }
  return panel('timeseries', options, HEIGHT, {
    defaults: {
      unit, min: 0, ...(max === undefined ? {} : { max }), color: { mode: 'palette-classic' }, custom, ...thresholds
    },
    overrides: queries.flatMap(override),
    targets: queries.map((query, n) => target(query, n, { range: true })),
    options: {
      legend: { displayMode: 'table', placement: 'bottom', showLegend: true, calcs: ['lastNotNull', 'max'] },
      tooltip: { mode: 'multi', sort: 'desc' }
    }
  })
}

export interface Threshold {
  readonly color: 'green' | 'orange' | 'red' | 'blue'
  /** From this value on; null for the first. */
  readonly value: number | null
}

export interface Word {
  readonly value: number
  readonly text: string
  readonly color: Threshold['color']
}

/** One number, coloured by how good it is; `words` say it where a number would have to be looked up. */
export function stat (
  options: Omit<PanelOptions, 'width'> & {
    /** Default: a sixth of the dashboard. */
    readonly width?: number
    readonly thresholds: readonly Threshold[]
    readonly words?: readonly Word[]
    /** Instead of a number where there is none. */
    readonly none?: string
  }
): Panel {
  const { unit, width = 4, queries, thresholds, words = [], none = '-' } = options
  return panel('stat', { ...options, width }, 4, {
    defaults: { unit, mappings: mappingsOf(words), color: { mode: 'thresholds' }, thresholds: { mode: 'absolute', steps: thresholds }, noValue: none },
    overrides: queries.flatMap(unitOverride),
    targets: queries.map((query, n) => target(query, n, { instant: true })),
    options: {
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      colorMode: 'background',
      graphMode: 'none',
      justifyMode: 'center',
      orientation: 'auto',
      textMode: 'value',
      wideLayout: true,
      showPercentChange: false,
      percentChangeColorMode: 'standard'
    }
  })
}

/** A histogram over time; the unit is that of its buckets. */
export function heatmap (options: PanelOptions): Panel {
  const { unit, queries } = options
  return panel('heatmap', options, HEIGHT, {
    defaults: { unit: units.count, custom: { scaleDistribution: { type: 'linear' } } },
    targets: queries.map((query, n) => target(query, n, { range: true, format: 'heatmap' })),
    options: {
      calculate: false,
      cellGap: 1,
      color: {
        mode: 'scheme', scheme: 'Oranges', fill: 'dark-orange', scale: 'exponential', exponent: 0.5, steps: 64, reverse: false
      },
      exemplars: { color: 'rgba(255,0,255,0.7)' },
      filterValues: { le: 1e-9 },
      legend: { show: true },
      rowsFrame: { layout: 'auto' },
      showValue: 'never',
      tooltip: { mode: 'single', showColorScale: true, yHistogram: false },
      yAxis: { axisPlacement: 'left', unit, reverse: false }
    }
  })
}

/** What the queries answer now, a line a series, the largest first; `columns` names its labels. */
export function table (options: PanelOptions & { readonly columns: Readonly<Record<string, string>> }): Panel {
  const { unit, queries, columns } = options
  return panel('table', options, HEIGHT, {
    defaults: { unit, decimals: 0, custom: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false }, noValue: 'nothing' },
    targets: queries.map((query, n) => target(query, n, { instant: true, format: 'table' })),
    options: { showHeader: true, cellHeight: 'sm', frameIndex: 0, sortBy: [{ displayName: columns['Value'] ?? 'Value', desc: true }] },
    transformations: [
      { id: 'merge', options: {} },
      { id: 'organize', options: { excludeByName: { Time: true }, renameByName: columns } }
    ]
  })
}

/** Which of a few states each series was in, a band a series. */
export function timeline (options: PanelOptions & { readonly words: readonly Word[] }): Panel {
  const { unit, queries, words } = options
  return panel('state-timeline', options, HEIGHT, {
    defaults: {
      unit,
      mappings: mappingsOf(words),
      color: { mode: 'thresholds' },
      thresholds: { mode: 'absolute', steps: [{ color: 'green', value: null }, { color: 'red', value: 1 }] },
      custom: { fillOpacity: 70, lineWidth: 0 },
      noValue: 'nothing'
    },
    targets: queries.map((query, n) => target(query, n, { range: true })),
    options: {
      alignValue: 'left',
      mergeValues: true,
      rowHeight: 0.8,
      showValue: 'never',
      legend: { displayMode: 'list', placement: 'bottom', showLegend: false, calcs: [] },
      tooltip: { mode: 'single', sort: 'none' }
    }
  })
}

function mappingsOf (words: readonly Word[]): object[] {
  if (words.length === 0) return []
  return [{ type: 'value', options: Object.fromEntries(words.map(({ value, text, color }, index) => [value, { text, color, index }])) }]
}

interface Drawing {
  readonly defaults: PanelJson['fieldConfig']['defaults']
  readonly overrides?: readonly unknown[]
  readonly targets: PanelJson['targets']
  readonly options: PanelJson['options']
  readonly transformations?: readonly unknown[]
}

function panel (type: PanelJson['type'], panel: PanelOptions, height: number, drawing: Drawing): Panel {
  const { title, shows, good, ifNot, width, interval } = panel
  const { defaults, overrides = [], targets, options, transformations } = drawing
  const json: PanelJson = {
    type,
    title,
    description: [shows, `**Good:** ${good}`, `**If not:** ${ifNot}`].filter((part) => part !== undefined).join('\n\n'),
    datasource: DATASOURCE,
    ...(interval === undefined ? {} : { interval }),
    gridPos: { x: 0, y: 0, w: width, h: height },
    fieldConfig: { defaults, overrides },
    options,
    targets,
    ...(transformations === undefined ? {} : { transformations })
  }
  return { generate: () => json }
}

function target ({ expr, legend }: Query, n: number, kind: Readonly<Record<string, unknown>>): PanelJson['targets'][number] {
  return { refId: String.fromCharCode(65 + n), datasource: DATASOURCE, editorMode: 'code', expr, legendFormat: legend, ...kind }
}
