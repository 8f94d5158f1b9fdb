import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from '../bridge/cli/program.ts'
import { startTestBridge } from './helpers/bridge.ts'
import { eventually } from './helpers/eventually.ts'
import { jpegOf } from './helpers/jpeg.ts'
import { connectDevice } from './helpers/mqtt.ts'

test('who puts an image before all others is told whether it waits or is on its way already', async (t) => {
  const { bridge, store, events } = await startTestBridge(t, { SLUICE_UPLINK_CONCURRENCY: '1' })
  const prioritize = async (image: string): Promise<string> => {
    const printed: string[] = []
    const shell = {
      env: {},
      version: 'test',
      isTerminal: false,
      print: (line: string) => { printed.push(line) },
      say: (line: string) => { printed.push(line) },
      onSignal: () => {},
      onFault: () => {},
      exit: () => { throw new Error('nothing here exits') }
    }
    await run(['images', 'prioritize', image, '--url', `http://127.0.0.1:${bridge.http.port}`], shell)
    return printed.join('\n')
  }
  await store.faults.set({ stall: true })
  const device = await connectDevice(t, bridge.mqtt.port)
  for (const id of ['first', 'second']) await device.publishAsync(`devices/cam-1/images/${id}`, jpegOf(1000), { qos: 1 })
  await eventually(() => events.some(({ kind }) => kind === 'put-started'))
  assert.equal(await prioritize('first'), 'first is on its way already')
  assert.equal(await prioritize('second'), 'second goes before all lanes')
})
