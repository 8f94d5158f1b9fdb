import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ExplainedImage } from '../bridge/http/images.ts'
import { startTestBridge } from './helpers/bridge.ts'
import { jpegOf } from './helpers/jpeg.ts'
import { connectDevice } from './helpers/mqtt.ts'

test('what of its own device goes before an image follows the order of its lane, and what an operator has put first', async (t) => {
  const behind = async (order: string): Promise<number[]> => {
    const { bridge } = await startTestBridge(t, { SLUICE_UPLINK_ORDER: order })
    const ask = async (method: string, path: string): Promise<unknown> => {
      const response = await fetch(`http://127.0.0.1:${bridge.http.port}/api/v1/${path}`, { method })
      assert.equal(response.status, 200, path)
      return await response.json()
    }
    await ask('POST', 'uplink/pause')
    const device = await connectDevice(t, bridge.mqtt.port)
    for (const id of ['a', 'b', 'c', 'd']) await device.publishAsync(`devices/cam-1/images/${id}`, jpegOf(1000), { qos: 1 })
    await ask('POST', 'images/cam-1:c/prioritize')
    const images = await Promise.all(['a', 'b', 'c', 'd'].map((id) => ask('GET', `images/cam-1:${id}`)))
    return (images as ExplainedImage[]).map(({ life: { next } }) => next.kind === 'waiting' ? next.behind.count : -1)
  }
  assert.deepEqual(await behind('fair'), [1, 2, 0, 3])
  assert.deepEqual(await behind('newest'), [3, 2, 0, 1])
  assert.deepEqual(await behind('newest-per-device'), [2, 3, 0, 1])
})
