// What sets one series of a panel apart from the others, as Grafana's overrides of a field.

import type { Query } from './panels.ts'

const looks = {
  limit: { color: 'red', stroke: { lineStyle: { fill: 'dash', dash: [10, 10] }, lineWidth: 2 } },
  foremost: { color: 'dark-purple', stroke: { lineStyle: { fill: 'solid' }, lineWidth: 3 } },
  faint: { color: '#808080', stroke: { lineStyle: { fill: 'solid' }, lineWidth: 1 } }
} as const

/** How one line of a panel is drawn; nothing where it has no look. */
export function override ({ legend, look }: Query): unknown[] {
  if (look === undefined) return []
  const { color, stroke } = looks[look]
  return [{
    matcher: { id: 'byName', options: legend },
    properties: [
      { id: 'color', value: { mode: 'fixed', fixedColor: color } },
      { id: 'custom.stacking', value: { mode: 'none', group: 'B' } },
      { id: 'custom.fillOpacity', value: 0 },
      ...Object.entries(stroke).map(([option, value]) => ({ id: `custom.${option}`, value }))
    ]
  }]
}

/** The unit of one number of a panel, where it is not the panel's. */
export function unitOverride ({ legend, unit }: Query): unknown[] {
  return unit === undefined ? [] : [{ matcher: { id: 'byName', options: legend }, properties: [{ id: 'unit', value: unit }] }]
}
