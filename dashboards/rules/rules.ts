// The file of rules that Prometheus reads: series it makes of ours, and alerts.

import { stringify } from 'yaml'
import type { Alert } from './alert.ts'
import * as fleet from './alerts-fleet.ts'
import * as slo from './alerts-slo.ts'
import * as spool from './alerts-spool.ts'
import * as uplink from './alerts-uplink.ts'
import { span, type RuleOptions } from './options.ts'
import { flowRecordings, sloRecordings } from './recordings.ts'

export type { Alert } from './alert.ts'
export { defaults, type RuleOptions, type Thresholds } from './options.ts'

const HEAD = '# Made by `npm run dashboards` from dashboards/rules/; an edit here is lost. Other thresholds: `npm run dashboards -- --help`.\n'

/** In the order of an image's way. */
export function alertsOf (options: RuleOptions): Alert[] {
  return [...fleet.alerts(options), ...spool.alerts(options), ...uplink.alerts(options), ...slo.alerts()]
}

export function rulesYaml (options: RuleOptions): string {
  const groups = [
    { name: 'sluice-flow', rules: flowRecordings(options) },
    { name: 'sluice-slo', rules: sloRecordings(options) },
    { name: 'sluice-alerts', rules: alertsOf(options).map((alert) => rule(alert, options)) }
  ]
  return HEAD + stringify({ groups }, { lineWidth: 0 })
}

function rule ({ name, expr, minutes, severity, summary, description }: Alert, options: RuleOptions): object {
  return {
    alert: name,
    expr,
    ...(minutes === undefined ? {} : { for: span(options, minutes) }),
    labels: { severity },
    annotations: { summary, description, runbook_url: `${options.runbooks}/${name}.md` }
  }
}
