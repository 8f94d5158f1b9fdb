// The generated files against the types of the current Grafana (@grafana/schema), by TypeScript itself: each panel is
// compiled as a literal of the type it has to be, so that a field which Grafana does not know is an error too.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import ts from 'typescript'

const root = resolve(import.meta.dirname, '..')
const FILE = join(root, 'test/dashboards-schema.generated.ts') // in memory only

const PRELUDE = `
import type { DataQuery } from '@grafana/schema'
import type {
  AnnotationQuery, Dashboard, DataTransformerConfig, FieldConfig, GridPos, MatcherConfig, RowPanel, VariableModel
} from '@grafana/schema/dist/esm/raw/dashboard/x/Dashboard_types.gen'
import type { Options as Timeseries, FieldConfig as TimeseriesField } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen'
import type { Options as Stat } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen'
import type { Options as Heatmap, FieldConfig as HeatmapField } from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen'
import type { Options as Table, FieldConfig as TableField } from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen'
import type { Options as Timeline, FieldConfig as TimelineField } from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen'

// JSON has the values of enums, and no enums.
type Plain<T> = unknown extends T ? T
  : T extends string ? string extends T ? T : \`\${T}\`
  : T extends number | boolean | null | undefined ? T
  : T extends readonly (infer Item)[] ? Array<Plain<Item>>
  : { [Key in keyof T]: Plain<T[Key]> }

// What the data source adds of its own (grafana-prometheus, src/types.ts).
interface PrometheusQuery extends DataQuery {
  expr: string
  legendFormat?: string
  editorMode?: 'code' | 'builder'
  range?: boolean
  instant?: boolean
  format?: 'time_series' | 'table' | 'heatmap'
}

interface Drawn<Type extends string, Options, Custom> {
  type: Type
  id: number
  title: string
  description: string
  datasource: { type: string, uid: string }
  interval?: string
  gridPos: Plain<GridPos>
  fieldConfig: {
    defaults: Plain<Omit<FieldConfig, 'custom'>> & { custom?: Plain<Custom> }
    overrides: Array<{ matcher: Plain<MatcherConfig>, properties: Array<{ id: string, value?: unknown }> }>
  }
  options: Plain<Options>
  targets: Array<Plain<PrometheusQuery>>
  transformations?: Array<Plain<DataTransformerConfig>>
}

type Panel = Drawn<'timeseries', Timeseries, TimeseriesField> | Drawn<'stat', Stat, {}> | Drawn<'heatmap', Heatmap, HeatmapField>
  | Drawn<'table', Table, TableField> | Drawn<'state-timeline', Timeline, TimelineField>
type Row = Omit<Plain<RowPanel>, 'panels'> & { panels: Panel[] }
type Mark = Plain<Omit<AnnotationQuery, 'target'>> & { target: { expr: string, refId: string }, titleFormat?: string, useValueForTime?: boolean }
type Variable = Plain<VariableModel> & { definition?: string }
type Whole = Omit<Plain<Dashboard>, 'panels' | 'annotations' | 'templating'> & {
  panels: Array<Panel | Row>
  annotations: { list: Mark[] }
  templating: { list: Variable[] }
}
`

const parsed = new Map<string, ts.SourceFile | undefined>() // of the schema and the library, the same for each program

/** What TypeScript has against these dashboards, each as a constant of its own. */
function problemsOf (sources: readonly string[]): string[] {
  const text = PRELUDE + sources.map((source, n) => `export const dashboard${n}: Whole = ${source}`).join('\n')
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: []
  }
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.fileExists = (name) => name === FILE || fileExists(name)
  host.getSourceFile = (name, ...more) => {
    if (name === FILE) return ts.createSourceFile(name, text, ts.ScriptTarget.ES2023)
    if (!parsed.has(name)) parsed.set(name, getSourceFile(name, ...more))
    return parsed.get(name)
  }
  const program = ts.createProgram([FILE], options, host)
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

const sources = await Promise.all(['fleet', 'uplink', 'slo'].map((name) =>
  readFile(join(root, 'dashboards/generated', `${name}.json`), 'utf8')))

test('the dashboards are what the schema of the current Grafana allows, and nothing it does not know', () => {
  assert.deepEqual(problemsOf(sources), [])
})

test('what Grafana does not know is found', () => {
  const [source = ''] = sources
  const broken = [
    source.replace('"drawStyle": "line"', '"drawStyle": "lines"'),
    source.replace('"graphMode": "none"', '"graphMod": "none"'),
    source.replace('"schemaVersion": 42', '"schemaVersion": "42"')
  ]
  for (const one of broken) assert.notEqual(one, source)
  assert.ok(problemsOf(broken).length >= broken.length)
})
