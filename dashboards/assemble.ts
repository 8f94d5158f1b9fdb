// From rows of panels to the JSON that Grafana imports.
//
// grafana-dash-gen 4.1 lays out what Grafana 2 understood: `rows` that hold panels, schemaVersion 6.
// It gives the skeleton (dashboard, rows, variables, links); the last step here brings it to today's
// form: one list of panels, each with its place on a grid of 24 columns.

import generator from 'grafana-dash-gen'
import {
  createLinks, createTemplates, linkOfToday, marks, variableOfToday,
  type LinkJson, type MarkJson, type Uid, type VariableJson
} from './frame.ts'
import type { Panel, PanelJson } from './panels.ts'

export interface DashboardSpec {
  readonly uid: Uid
  readonly title: string
  readonly description: string
  readonly rows: readonly RowSpec[]
}

export interface RowSpec {
  readonly title: string
  readonly panels: readonly Panel[]
  readonly collapsed?: boolean
}

export interface PlacedPanel extends PanelJson {
  readonly id: number
}

export interface RowPanel {
  readonly type: 'row'
  readonly id: number
  readonly title: string
  readonly collapsed: boolean
  readonly gridPos: PanelJson['gridPos']
  /** Those of a collapsed row; of an open one they follow it in the list. */
  readonly panels: readonly PlacedPanel[]
}

export interface DashboardJson {
  readonly uid: string
  readonly title: string
  readonly description: string
  readonly tags: readonly string[]
  readonly schemaVersion: number
  readonly editable: boolean
  readonly graphTooltip: number
  readonly refresh: string
  readonly time: { readonly from: string, readonly to: string }
  readonly timezone: string
  readonly links: readonly LinkJson[]
  readonly templating: { readonly list: readonly VariableJson[] }
  readonly annotations: { readonly list: readonly MarkJson[] }
  readonly panels: ReadonlyArray<PlacedPanel | RowPanel>
}

const COLUMNS = 24
/** That of Grafana 13; an older Grafana reads it too, and a newer one brings it up to its own. */
const SCHEMA_VERSION = 42

export function assemble (spec: DashboardSpec): DashboardJson {
  const { uid, title, description } = spec
  const { tags, timezone, templating, links, rows = [] } = skeleton(spec).generate()
  return {
    uid,
    title,
    description,
    tags,
    schemaVersion: SCHEMA_VERSION,
    editable: false,
    graphTooltip: 1, // one crosshair over all panels
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    timezone,
    links: links.map(linkOfToday),
    templating: { list: templating.list.map(variableOfToday) },
    annotations: { list: marks },
    panels: place(rows.map(({ title = '', collapse = false, panels }) =>
      ({ title, collapsed: collapse, panels: panels as unknown as PanelJson[] })))
  }
}

type ForeignPanel = InstanceType<typeof generator.Panels.Text>

function skeleton ({ uid, title, rows }: DashboardSpec): InstanceType<typeof generator.Dashboard> {
  const dashboard = new generator.Dashboard({ title, tags: ['sluice'] })
  for (const { title, panels, collapsed = false } of rows) {
    const row = new generator.Row({ title, collapse: collapsed })
    // Row calls nothing but generate(), whatever its types say; ours return the panels of today.
    for (const panel of panels) row.addPanel(panel as unknown as ForeignPanel)
    dashboard.addRow(row)
  }
  for (const template of createTemplates()) dashboard.addTemplate(template)
  dashboard.links.push(...createLinks(uid))
  return dashboard
}

interface Row {
  readonly title: string
  readonly collapsed: boolean
  readonly panels: readonly PanelJson[]
}

/** Left to right, and below where the next would stand out over the right edge. Ids count in that order. */
function place (rows: readonly Row[]): Array<PlacedPanel | RowPanel> {
  const placed: Array<PlacedPanel | RowPanel> = []
  let id = 0
  let y = 0
  for (const { title, collapsed, panels } of rows) {
    const row = { type: 'row', id: ++id, title, collapsed, gridPos: { x: 0, y: y++, w: COLUMNS, h: 1 } } as const
    let x = 0
    let lineHeight = 0
    const inRow = panels.map((panel): PlacedPanel => {
      const { w, h } = panel.gridPos
      if (x + w > COLUMNS) {
        x = 0
        y += lineHeight
        lineHeight = 0
      }
      const gridPos = { x, y, w, h }
      x += w
      lineHeight = Math.max(lineHeight, h)
      return { ...panel, id: ++id, gridPos }
    })
    y += lineHeight
    placed.push({ ...row, panels: collapsed ? inRow : [] }, ...(collapsed ? [] : inRow))
  }
  return placed
}
