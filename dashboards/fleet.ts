import type { DashboardSpec } from './assemble.ts'
import { uids } from './frame.ts'
import { clients } from './rows/clients.ts'
import { fleetAtAGlance } from './rows/fleet-glance.ts'
import { fleet as devices } from './rows/fleet.ts'
import { intake } from './rows/intake.ts'
import { runtime } from './rows/runtime.ts'

/** From the device to the PUBACK. */
export const fleet: DashboardSpec = {
  uid: uids.fleet,
  title: 'Sluice: fleet and broker',
  description: 'Devices connect, publish, and get their PUBACK. Read it from the top: the first row says whether all is well, each row below says more about one step.',
  rows: [
    { title: 'At a glance', panels: fleetAtAGlance },
    { title: 'Fleet: who is there', panels: devices },
    { title: 'In: what devices send, and how soon they know that it is safe', panels: intake },
    { title: 'What else goes through the broker', panels: clients, collapsed: true },
    { title: 'Process', panels: runtime, collapsed: true }
  ]
}
