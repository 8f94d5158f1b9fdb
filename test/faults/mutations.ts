// Loaded into the service before its own code: it breaks one promise of custody (FAULT_MUTATION=no-sync), so that
// the harness can be seen to notice.

import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Spool } from '../../bridge/spool/spool.ts'
import { aroundSpoolWrite } from './around.ts'

export type Mutation = keyof typeof mutations

const EARLY_MS = 20

const mutations = {
  /** The PUBACK waits for the write, and the write not for the disk. */
  'no-sync': () => { aroundSpoolWrite(async (write) => { await write(false) }) },
  /** The write begins when the PUBACK is on its way. */
  'early-puback': () => {
    aroundSpoolWrite(async (write) => { void delay(EARLY_MS).then(async () => { await write(true) }) })
  },
  /** What is read in order to be put is marked as uploaded before it is. */
  'early-mark': () => {
    const { payload } = Spool.prototype
    Spool.prototype.payload = async function (entry) {
      const body = await payload.call(this, entry)
      const sha256 = createHash('sha256').update(body).digest('hex')
      await this.markUploaded(entry, { key: '', sha256, bucket: '', etag: '', uploadedAt: Date.now() })
      return body
    }
  }
}

const name = process.env['FAULT_MUTATION'] ?? ''
if (!isMutation(name)) throw new Error(`there is no mutation ${name}`)
mutations[name]()

function isMutation (text: string): text is Mutation {
  return Object.hasOwn(mutations, text)
}
