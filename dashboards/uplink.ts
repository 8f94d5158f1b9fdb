import type { DashboardSpec } from './assemble.ts'
import { uids } from './frame.ts'
import { failed } from './rows/failed.ts'
import { flow } from './rows/flow.ts'
import { spool } from './rows/spool.ts'
import { uplinkAtAGlance } from './rows/uplink-glance.ts'
import { uplink as puts } from './rows/uplink.ts'

/** From the disk to the store. */
export const uplink: DashboardSpec = {
  uid: uids.uplink,
  title: 'Sluice: spool and uplink',
  description: 'What waits on our disk, how it leaves, and when it will be gone. Read it from the top: the first row says whether all is well, each row below says more about one step.',
  rows: [
    { title: 'At a glance', panels: uplinkAtAGlance },
    { title: 'Flow: in against out, and what waits between', panels: flow },
    { title: 'Uplink: what goes to the store', panels: puts },
    { title: 'Spool: our disk', panels: spool },
    { title: 'Images that failed', panels: failed, collapsed: true }
  ]
}
