// Files of a spool with several harms at once. test/faults/rot.test.ts has one at a time, and says more of each.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { copyOf, filesBelow, sendAll, workedSpool } from '../helpers/rot.ts'
import { SpoolOpenError } from '../../bridge/spool/errors.ts'
import { effortOf } from './effort.ts'
import { mutate } from './mutate.ts'

test('a spool whose files were altered sends no altered image, or is refused in words', async (t) => {
  const worked = await workedSpool(t, 'killed')
  const { random, goesOn } = effortOf(t, 0.1)
  let [count, refused] = [0, 0]
  for (; count === 0 || goesOn(); count++) {
    const copy = await copyOf(t, worked)
    const files = await filesBelow(copy.directory, /(\.log|\.ldb|CURRENT|MANIFEST-\d+|FORMAT)$/)
    const paths = Array.from({ length: 1 + Math.floor(random() * 3) }, () => files[Math.floor(random() * files.length)] ?? '')
    for (const path of paths) await writeFile(path, mutate(await readFile(path), random, 6))
    try {
      const outcome = await sendAll(t, copy) // holds each payload against what was acknowledged
      await outcome.close()
    } catch (error) {
      if (error instanceof assert.AssertionError || !(error instanceof SpoolOpenError)) throw error
      refused++
    }
  }
  t.diagnostic(`${count} spools, ${refused} of them refused`)
})
