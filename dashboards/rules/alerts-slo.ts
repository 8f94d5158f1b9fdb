// Burn rate in several windows: 1 uses up the budget of a month in a month, 14.4 a fiftieth of it in an hour. The
// short window of each pair lets the alert end soon after the trouble does.

import type { Alert } from './alert.ts'
import { missed, recorded, type Window } from './recordings.ts'

export const alerts = (): Alert[] => [
  {
    name: 'SluiceSLOErrorBudgetBurnFast',
    severity: 'critical',
    expr: `${burning('5m', '1h', 14.4)} or ${burning('30m', '6h', 6)}`,
    summary: 'Images reach the store too late.',
    description: '{{ $value | humanizePercentage }} of the images of {{ $labels.job }} miss the latency target.'
  },
  {
    name: 'SluiceSLOErrorBudgetBurnSlow',
    severity: 'warning',
    expr: `${burning('2h', '1d', 3)} or ${burning('6h', '3d', 1)}`,
    summary: 'The budget of late images is used up too quickly.',
    description: '{{ $value | humanizePercentage }} of the images of {{ $labels.job }} miss the latency target, and have for hours.'
  }
]

function burning (short: Window, long: Window, rate: number): string {
  const [brief, lasting] = [short, long].map((window) => `${missed(window)} > ${rate} * ${recorded.errorBudget}`)
  return `(${brief} and ${lasting})`
}
