import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createRandom } from '../device-sim/random.ts'
import {
  assertStored, devicesOf, drained, fastLine, ledgerOf, publishUntilEnd, slowLine, storedIn
} from './helpers/custody.ts'
import { Device } from './helpers/device.ts'
import { serviceEnv, startService, type Service } from './helpers/process.ts'
import { runSluice, tempDirectory } from './helpers/sluice.ts'

test('SIGTERM under load ends with 0 and one line about what stays, and the next start uploads that', async (t) => {
  const random = createRandom(1)
  const devices = devicesOf(random)
  const service = await startService(t, { env: slowLine })
  const { dataDir } = service
  const welcome = service.stdout()
  let end: Awaited<ReturnType<Service['kill']>> | undefined
  await publishUntilEnd(service, devices, async () => { end = await service.kill('SIGTERM') }, random)
  assert.equal(end?.code, 0)
  const farewell = end.stdout.slice(welcome.length)
  const [, stay] = /^(\d+) images stay on disk and are uploaded after the next start\n$/.exec(farewell) ?? []
  const stored = await storedIn(dataDir)

  const next = await startService(t, { dataDir, env: fastLine })
  const { acknowledged } = await ledgerOf(next)
  assert.equal(acknowledged, stored.size + Number(stay), farewell)
  await Promise.all(devices.map((device) => device.publishAllAgain(next.mqttPort)))
  await drained(next)
  await assertStored(dataDir, devices)
  assert.match((await next.kill('SIGTERM')).stdout, /no image stays behind: everything acknowledged is in the store\n$/)
})

test('a second service on the same data is refused with 69, and the first one goes on', async (t) => {
  const first = await startService(t)
  const { code, stderr } = await runSluice(t, ['serve'], { env: serviceEnv(first.dataDir) })
  assert.equal(code, 69)
  assert.match(stderr, /spool is in use by another process: stop that one, or give this one its own dataDir/)
  assert.equal((await first.status()).accepting, true)
})

test('a spool of a newer format is refused with 78 and left as it is', async (t) => {
  const devices = [new Device('cam-1', createRandom(2))]
  const first = await startService(t, { env: slowLine })
  const { dataDir } = first
  await publishUntilEnd(first, devices, () => first.kill('SIGKILL'), () => 0)
  const file = join(dataDir, 'spool', 'FORMAT')
  const format = await readFile(file)
  await writeFile(file, '2\n')
  const { code, stderr } = await runSluice(t, ['serve'], { env: serviceEnv(dataDir) })
  assert.equal(code, 78)
  assert.match(stderr, /made with format 2, this version reads format 1: start the version that made it/)
  await writeFile(file, format)
  const next = await startService(t, { dataDir, env: fastLine })
  await Promise.all(devices.map((device) => device.publishAllAgain(next.mqttPort)))
  await drained(next)
  await assertStored(dataDir, devices)
  await next.kill('SIGTERM')
})

test('a file in place of the data directory ends with 73, a directory that nobody may write with 77', async (t) => {
  const file = join(await tempDirectory(t), 'file')
  await writeFile(file, '')
  const [inTheWay, forbidden] = await Promise.all([
    runSluice(t, ['serve'], { env: serviceEnv(file) }),
    runSluice(t, ['serve'], { env: serviceEnv('/sys/sluice') }) // of Linux: root may not write there either
  ])
  assert.equal(inTheWay.code, 73)
  assert.match(inTheWay.stderr, /cannot be made .*a file stands where a directory has to be/)
  if (process.platform !== 'linux') return
  assert.equal(forbidden.code, 77)
  assert.match(forbidden.stderr, /\/sys\/sluice\/spool cannot be written .*give this user the right to/)
})
