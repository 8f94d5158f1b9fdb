import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { Spool } from '../../bridge/spool/spool.ts'
import { serviceEnv, startService } from '../helpers/process.ts'
import { runSluice } from '../helpers/sluice.ts'
import { arrivalOf, makeTempDirectory, spoolOptions } from '../helpers/spool.ts'

const payload = Buffer.alloc(1000, 7)
const foreign = [
  { text: '', says: /FORMAT is empty where the number of a format should be/ },
  { text: '\n', says: /FORMAT is empty/ },
  { text: '1abc\n', says: /FORMAT says "1abc\\n"/ },
  { text: '\u0000\u0000', says: /FORMAT says "\\u0000\\u0000"/ },
  { text: '0\n', says: /FORMAT says "0\\n"/ },
  { text: '-1\n', says: /FORMAT says "-1\\n"/ },
  { text: '2\n', says: /made with format 2, this version reads format 1: start the version that made it/ }
]

test('a spool with images and a FORMAT that cannot be read is refused in a sentence, and left as it is', async (t) => {
  const directory = await makeTempDirectory(t)
  const first = await Spool.open(spoolOptions(directory), () => {})
  await first.append(arrivalOf('cam-1', 'a1', payload), payload)
  await first.close()
  const file = join(directory, 'FORMAT')
  const format = await readFile(file)
  for (const { text, says } of foreign) {
    await writeFile(file, text)
    await assert.rejects(Spool.open(spoolOptions(directory), () => {}), { name: 'SpoolOpenError', message: says }, text)
    assert.equal(await readFile(file, 'utf8'), text)
  }
  await writeFile(file, format)
  const again = await Spool.open(spoolOptions(directory), () => {})
  t.after(() => again.close())
  assert.deepEqual(await again.payload((await again.waiting(0, 1))[0] ?? assert.fail('the image is gone')), payload)
})

test('the service ends with 78 and one sentence where FORMAT cannot be read, and starts once it can', async (t) => {
  const first = await startService(t)
  const { dataDir } = first
  await first.kill('SIGKILL')
  const file = join(dataDir, 'spool', 'FORMAT')
  await writeFile(file, 'one\n')
  const { code, stderr } = await runSluice(t, ['serve'], { env: serviceEnv(dataDir) })
  assert.equal(code, 78)
  assert.equal(stderr.trimEnd().split('\n').length, 1, stderr)
  assert.match(stderr, /FORMAT says .*where the number of a format should be.*write 1 into it/)
  await writeFile(file, '1\n')
  assert.equal((await (await startService(t, { dataDir })).status()).accepting, true)
})
