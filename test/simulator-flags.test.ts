import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeFolder } from './helpers/local-store.ts'
import { runSimulator } from './helpers/simulate.ts'

test('a field of a flag that is wrong is told by flag, field and value, with what to write instead', async () => {
  const cases: ReadonlyArray<readonly [string, ...string[]]> = [
    ['--uplink outage: wanted when and for how long, such as 20s+10s, got "5"', '--uplink', '40Mbit,outage=5'],
    ['--uplink rate: wanted a rate of a line such as 40Mbit, got "fast"', '--uplink', 'fast'],
    ['--uplink latency: wanted a time such as 60s, 500ms or 5m, got "20"', '--uplink', '40Mbit,latency=20'],
    ['--offline share: wanted a share such as 20% or 0.2, got "many"', '--offline', 'many,at=1s'],
    ['--flap every: is missing: wanted a time such as 60s, of 10ms at least', '--flap', 'for=1s'],
    ['--flap every: wanted a time such as 60s, of 10ms at least, got "0s"', '--flap', '0s'],
    ['--message-interval: wanted a time such as 30s or a number of ms, of 1ms at least; for as fast as they are answered say --model closed, got "0"', '-I', '0'],
    ['--duration: wanted a time such as 60s, 500ms or 5m, got "5constructor"', '-d', '5constructor'],
    ['--flap how: wanted clean, abrupt, half-open, mid-publish, power or mix, got "rude"', '--flap', '60s,how=rude'],
    ['--flap hoow: there is no such setting here, only every, for, how, got "clean"', '--flap', '60s,hoow=clean'],
    ['--backoff first: wanted no more than the longest, which is 1000 ms, got "1h"', '--backoff', '1h,max=1s'],
    ['--warmup: wanted less than the 60000 ms of the run, or nothing is measured, got "1m"', '--warmup', '1m'],
    ['--limit: wanted a whole number of 1 to 3000000, got "20000000"', '-L', '20000000'],
    ['--duration: wanted at most 3000000 images, which are kept in memory, and these are about 3600000, got "1h"', '-d', '1h', '--rate', '10/s'],
    ['--model: wanted open or closed, got "half"', '--model', 'half'],
    ['--arrival: wanted uniform, poisson, periodic or synchronized, got "never"', '--arrival', 'never'],
    ['--device-queue-policy: wanted drop-oldest or drop-newest, got "keep"', '--device-queue-policy', 'keep'],
    ['--power-loss: wanted keeps or forgets, got "maybe"', '--power-loss', 'maybe'],
    ['--format: wanted raw, json or mix:raw=80,json=20, got "mix:raw=0"', '--format', 'mix:raw=0']
  ]
  for (const [sentence, ...args] of cases) {
    const { code, stderr } = await runSimulator(args)
    assert.deepEqual({ code, stderr }, { code: 64, stderr: sentence })
  }
})

test('the store command names its own flag where one is wrong', async () => {
  const cases: ReadonlyArray<readonly [string, ...string[]]> = [
    ['--outage: wanted when and for how long, such as 20s+10s, got "5"', '--outage', '5'],
    ['--bandwidth: wanted a rate of a line such as 40Mbit, got "0Mbit"', '--bandwidth', '0Mbit'],
    ['--latency: wanted a time such as 60s, 500ms or 5m, got "soon"\n--errors: wanted a share such as 20% or 0.2, got "2"',
      '--latency', 'soon', '--errors', '2']
  ]
  for (const [sentence, ...args] of cases) {
    const { code, stderr } = await runSimulator(['store', ...args])
    assert.deepEqual({ code, stderr }, { code: 64, stderr: sentence })
  }
})

test('a file is refused in the same words, at the place that is meant', async (t) => {
  const path = join(await makeFolder(t), 'site.yaml')
  await writeFile(path, [
    'name: [a]', 'allowRemote: maybe', 'phases: [{ for: 1m, load: -1 }]', 'uplink: { outage: 5s }',
    'devices: [{ flap: { how: rude }, colour: red }]', 'thresholds: lost==0, dropped==0'
  ].join('\n'))
  const { code, stderr } = await runSimulator(['run', path])
  const said = stderr.split('\n').map((line) => line.replace(`${path}: `, ''))
  assert.deepEqual(said.map((line) => line.replace(/, only .*, got/, ', got').replace(/; there are .*, got/, ', got')).sort(), [
    'allowRemote: wanted true or false, got "maybe"',
    'devices[0].colour: there is no such setting here, got "red"',
    'devices[0].flap.every: is missing: wanted a time such as 60s, of 10ms at least',
    'devices[0].flap.how: wanted clean, abrupt, half-open, mid-publish, power or mix, got "rude"',
    'name: wanted a text, got [ \'a\' ]',
    'phases[0].load: wanted a factor such as 0.5 or 3, got -1',
    'phases[0].name: is missing: wanted a text',
    'thresholds[0]: wanted a condition such as \'e2e_p99<10s\' or \'lost==0\', got "lost==0, dropped==0"',
    'uplink.outage: wanted when and for how long, such as 20s+10s, got "5s"'
  ])
  assert.equal(code, 78)
})
