// $SYS/broker/ as mosquitto's own client reads it.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { startTestBroker } from '../helpers/mqtt.ts'
import { missing } from './peers.ts'

const names = [
  'version', 'uptime', 'clients/connected', 'clients/total', 'clients/maximum', 'messages/received', 'messages/sent',
  'publish/messages/received', 'publish/messages/sent', 'publish/messages/dropped', 'bytes/received', 'bytes/sent',
  'load/messages/received/1min', 'load/bytes/sent/5min', 'load/connections/15min', 'subscriptions/count',
  'retained messages/count', 'store/messages/count'
]

test('mosquitto_sub reads each figure under its name', { skip: missing('mosquitto_sub') }, async (t) => {
  const { port, seen } = await startTestBroker(t, { sys: { everyMs: 100, version: '1.2.3' } })
  const reader = spawn('mosquitto_sub', ['-p', String(port), '-t', '$SYS/broker/#', '-v', '-C', '200', '-W', '10'])
  let said = ''
  reader.stdout.on('data', (chunk: Buffer) => { said += chunk.toString() })
  await once(reader, 'exit')
  for (const name of names) assert.match(said, new RegExp(`^\\$SYS/broker/${name} \\S`, 'm'), name)
  const writer = spawn('mosquitto_pub', ['-p', String(port), '-q', '1', '-t', '$SYS/broker/uptime', '-m', '99 years'])
  assert.deepEqual(await once(writer, 'exit'), [0, null]) // acknowledged, and dropped
  assert.deepEqual(seen('topic-refused').map(({ topic }) => topic), ['$SYS/broker/uptime'])
})
