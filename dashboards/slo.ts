import type { DashboardSpec } from './assemble.ts'
import { uids } from './frame.ts'
import { alerts } from './rows/alerts.ts'
import { budget } from './rows/budget.ts'
import { endToEnd } from './rows/end-to-end.ts'
import { sloAtAGlance } from './rows/slo-glance.ts'
import { timeSpent } from './rows/time-spent.ts'

/** Whether images are in time, and if not, why. */
export const slo: DashboardSpec = {
  uid: uids.slo,
  title: 'Sluice: the promise',
  description: 'Images shall be in the store within the target. Read it from the top: whether they are, how much may still go wrong this month, where the time goes, and what fires.',
  rows: [
    { title: 'At a glance', panels: sloAtAGlance },
    { title: 'Budget: how many may still be late', panels: budget },
    { title: 'Latency: from acceptance to the store', panels: endToEnd },
    { title: 'Where the time goes', panels: timeSpent },
    { title: 'Alerts', panels: alerts }
  ]
}
