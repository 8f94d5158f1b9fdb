// What fuzzing has found, or the standard and the code of Aedes made one think of: played again with every change.

import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../helpers/eventually.ts'
import { connectDevice, startTestBroker } from '../helpers/mqtt.ts'
import { attack } from './attack.ts'

const CORPUS = join(import.meta.dirname, 'corpus')

interface Found {
  readonly says: string
  /** Hex; each input is one connection, piece by piece. */
  readonly inputs: ReadonlyArray<readonly string[]>
}

for (const name of (await readdir(CORPUS)).sort()) {
  const { says, inputs } = JSON.parse(await readFile(join(CORPUS, name), 'utf8')) as Found
  test(`harms nobody: ${says} (${name})`, async (t) => {
    const { port, broker } = await startTestBroker(t)
    const bystander = await connectDevice(t, port, { clientId: 'bystander' })
    await bystander.subscribeAsync('site/bystander', { qos: 1 })
    for (const input of inputs) await attack(port, input.map((piece) => Buffer.from(piece, 'hex')))
    await eventually(() => broker.levels.connections === 1)
    await bystander.publishAsync('devices/cam-1/images', 'an image', { qos: 1 })
    assert.equal(bystander.connected, true)
  })
}
