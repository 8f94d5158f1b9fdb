// The store of what will not upload, when the disk fails it.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { Level } from 'level'
import type { Entry } from '../../bridge/entry.ts'
import { SetAside } from '../../bridge/spool/set-aside.ts'
import { arrivalOf, makeTempDirectory } from '../helpers/spool.ts'

const failure = { failedAt: 1, reason: 'store_refused', detail: 'no', attempts: 1 }

function entryOf (sequence: number, payload: Buffer): Entry {
  return { sequence, ...arrivalOf('cam-1', `i${sequence}`, payload) }
}

test('nothing counts as set aside that was written behind a failed write, until the store is opened anew', async (t) => {
  const setAside = await SetAside.open(await makeTempDirectory(t), () => {})
  t.after(() => setAside.close())
  const doubtful = new Set<Level<string, Buffer>>()
  const writtenBehind: string[] = []
  const real = Level.prototype.batch
  t.mock.method(Level.prototype, 'batch', async function (this: Level<string, Buffer>, ...args: unknown[]): Promise<void> {
    if (doubtful.has(this)) writtenBehind.push(this.location)
    if (doubtful.size > 0) return await Reflect.apply(real, this, args)
    doubtful.add(this)
    throw new Error('planted')
  })
  const payloads = Array.from({ length: 8 }, () => randomBytes(1000))
  const put = payloads.map((payload, nth) => setAside.put(entryOf(nth + 1, payload), failure, payload))
  assert.deepEqual(await Promise.all(put), [false, ...Array<boolean>(7).fill(true)])
  assert.deepEqual(writtenBehind, [])
})
