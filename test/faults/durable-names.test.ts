// A name in a directory is durable once the directory is synced; a sync of the file is not enough (fsync(2), "Notes").
// ext4 writes all names with the next sync of anything, so no power cut here would show it: the order of calls does.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createRandom } from '../../device-sim/random.ts'
import { devicesOf, fastLine, publishUntilEnd } from '../helpers/custody.ts'
import { startService } from '../helpers/process.ts'
import { tempDirectory } from '../helpers/sluice.ts'
import { testWith, tracing } from './needs.ts'

testWith(tracing, 'before an image is written to a segment, every name on the way to it is durable', async (t) => {
  const root = await tempDirectory(t)
  const [dataDir, trace] = [join(root, 'site', 'data'), join(root, 'trace')]
  const calls = 'trace=/^(mkdir|rename|openat|fsync|fdatasync)'
  const under = ['strace', '-D', '-f', '-y', '-qq', '-s', '300', '-o', trace, '-e', calls]
  const service = await startService(t, { dataDir, env: fastLine, under })
  const spool = join(dataDir, 'spool')
  const segments = join(spool, 'segments')
  const devices = devicesOf(createRandom(1), 1)
  await publishUntilEnd(service, devices, async () => { await service.kill('SIGKILL') }, createRandom(1))

  const first = firstSyncs(await readFile(trace, 'utf8'), segments)
  assert.ok(first.size > 0, 'nothing was written')
  for (const [log, undoable] of first) {
    const names = [dirname(dataDir), dataDir, spool, segments, dirname(log), log, join(dirname(log), 'CURRENT')]
    const others = ['FORMAT', 'index', 'index/CURRENT', 'set-aside', 'set-aside/CURRENT'].map((name) => join(spool, name))
    assert.deepEqual([...names, ...others].filter((name) => undoable.has(name)), [])
  }
})

/** By log of a segment: what was made, and could still be undone by a loss of power, when it was first synced. */
function firstSyncs (trace: string, segments: string): Map<string, ReadonlySet<string>> {
  const first = new Map<string, ReadonlySet<string>>()
  const undoable = new Set<string>()
  for (const line of trace.split('\n').filter((line) => !line.includes(' = -1 '))) {
    const [, call, args = ''] = /^\d+ +(\w+)\((.*)/.exec(line) ?? []
    const synced = /^\d+<([^>]+)>/.exec(args)?.[1] ?? ''
    const made = [...args.matchAll(/"([^"]+)"/g)].at(-1)?.[1]
    if (call === 'fdatasync' && synced.startsWith(`${segments}/`) && synced.endsWith('.log') && !first.has(synced)) {
      first.set(synced, new Set(undoable))
    } else if (call === 'fsync') {
      for (const name of undoable) if (dirname(name) === synced) undoable.delete(name)
    } else if (made !== undefined && (call !== 'openat' || args.includes('O_CREAT'))) {
      undoable.add(made)
    }
  }
  return first
}
