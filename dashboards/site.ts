import type { DashboardSpec } from './assemble.ts'
import { atAGlance } from './rows/at-a-glance.ts'
import { endToEnd } from './rows/end-to-end.ts'
import { intake } from './rows/intake.ts'
import { runtime } from './rows/runtime.ts'
import { spool } from './rows/spool.ts'
import { uplink } from './rows/uplink.ts'

/** The whole way of an image, in its order; each panel is a question an operator asks. */
export const site: DashboardSpec = {
  uid: 'sluice-site',
  title: 'Sluice: images from device to store',
  description: 'Devices publish, the spool keeps, the uplink lets out. Read it from the top: the first row says whether all is well, each row below says more about one step.',
  rows: [
    { title: 'At a glance', panels: atAGlance },
    { title: 'In: what devices send, and how soon they know that it is safe', panels: intake },
    { title: 'Spool: what waits on our disk', panels: spool },
    { title: 'Uplink: what goes to the store', panels: uplink },
    { title: 'End to end: from acceptance to the store', panels: endToEnd },
    { title: 'Process', panels: runtime, collapsed: true }
  ]
}
