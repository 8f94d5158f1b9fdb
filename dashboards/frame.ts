// What stands around the panels of every dashboard: variables, marks over the graphs, links.

import generator from 'grafana-dash-gen'
import { catalogue } from '../bridge/metric-catalogue.ts'
import { DATASOURCE } from './panels.ts'
import { highest, lately, startedAt } from './queries.ts'

type Template = InstanceType<typeof generator.Templates.Custom> | InstanceType<typeof generator.Templates.Query>
type Variable = ReturnType<Template['generate']>

type Json = Readonly<Record<string, unknown>>

export interface VariableJson extends Json {
  readonly name: string
  readonly label: string
  readonly type: string
  readonly query: unknown
}

export interface LinkJson extends Json {
  readonly title: string
  readonly url: string
  readonly keepTime: boolean
  readonly includeVars: boolean
}

export interface MarkJson extends Json {
  readonly name: string
  readonly target: { readonly expr: string, readonly refId: string }
}

/** Which Prometheus, and which of the Sluices it scrapes. */
export function createTemplates (): Template[] {
  const { Custom, Query } = generator.Templates
  const build = catalogue.buildInfo.name
  const all = { datasource: DATASOURCE.uid, multi: true, includeAll: true, allValue: '.+' }
  return [
    new Custom({ type: 'datasource', name: 'datasource', label: 'Data source', query: 'prometheus' }),
    new Query(`label_values(${build}, job)`, { name: 'job', label: 'Job', ...all }),
    new Query(`label_values(${build}{job=~"$job"}, instance)`, { name: 'instance', label: 'Instance', ...all }),
    new Custom({ type: 'textbox', name: 'page', label: 'Status page', query: 'http://127.0.0.1:8080/' })
  ]
}

/** In the addresses of the dashboards, and never changed. */
export const uids = { fleet: 'sluice-fleet', uplink: 'sluice-uplink', slo: 'sluice-slo' } as const
export type Uid = typeof uids[keyof typeof uids]

const neighbours: Readonly<Record<Uid, { title: string, tooltip: string }>> = {
  'sluice-fleet': { title: 'Fleet and broker', tooltip: 'Devices, and what comes in' },
  'sluice-uplink': { title: 'Spool and uplink', tooltip: 'What waits, and what goes out' },
  'sluice-slo': { title: 'Promise', tooltip: 'Whether images are in time, and what fires' }
}

export function createLinks (from: Uid): Array<InstanceType<typeof generator.ExternalLink>> {
  const others = Object.values(uids).filter((uid) => uid !== from).map((uid) =>
    new generator.ExternalLink({ ...neighbours[uid], url: `/d/${uid}` }).includeVariableValues().includeTimeFilter())
  return [...others, new generator.ExternalLink({ title: 'Status page', tooltip: 'The page of Sluice itself', url: '$page' })]
}

type Link = ReturnType<InstanceType<typeof generator.ExternalLink>['generate']>

/** The generator opens every link in a tab of its own; from one dashboard to the next one goes on in the same tab. */
export function linkOfToday (link: Link): LinkJson {
  return { ...link, asDropdown: false, targetBlank: !link.url.startsWith('/d/') }
}

/** The generator draws variables with the fields of Grafana 2; here are those that are read today. */
export function variableOfToday ({ type = '', name, label, query, multi, includeAll, allValue }: Variable): VariableJson {
  const common = { type, name, label: String(label), hide: 0 }
  switch (type) {
    case 'query':
      return {
        ...common,
        datasource: DATASOURCE,
        definition: query,
        query: { qryType: 1, query, refId: 'PrometheusVariableQueryEditor-VariableQuery' },
        multi,
        includeAll,
        allValue,
        refresh: 2, // whenever the time range changes
        sort: 1,
        regex: '',
        options: [],
        current: { text: ['All'], value: ['$__all'] }
      }
    case 'datasource':
      return { ...common, query, multi: false, includeAll: false, refresh: 1, regex: '', options: [], current: {} }
    default: { // a text box, with what stands in it at first
      const current = { text: query, value: query }
      return { ...common, query, options: [{ selected: true, ...current }], current }
    }
  }
}

/** What explains a change in any graph: a start, an operator, an uplink that was down, intake that was paused. */
export const marks: readonly MarkJson[] = [
  mark('Start', 'blue', startedAt, { useValueForTime: true }),
  mark('Uplink down', 'orange', `${highest('uploadPaused', { reason: 'circuit_open' })} == 1`),
  mark('Operator', 'yellow', lately('operatorActions', 'action'), { titleFormat: 'Operator: {{action}}' }),
  mark('Uploads paused', 'purple', `${highest('uploadPaused', { reason: { not: 'circuit_open' } })} == 1`),
  mark('Intake paused', 'red', `${highest('ingestPaused')} == 1`)
]

function mark (name: string, iconColor: string, expr: string, more: Json = {}): MarkJson {
  return {
    name,
    enable: true,
    iconColor,
    datasource: DATASOURCE,
    titleFormat: name,
    ...more,
    target: { expr, refId: 'Anno' }
  }
}
