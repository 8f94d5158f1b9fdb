import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join, relative } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { probeStore } from '../device-sim/judge/store-probe.ts'
import { bucket, credentials, makeFolder, startTestStore, type TestStore } from './helpers/local-store.ts'
import { startPlainBroker } from './helpers/plain-broker.ts'
import { listen } from './helpers/line.ts'
import { runSimulator, spawnSimulator } from './helpers/simulate.ts'

const small = ['-c', '3', '-L', '12', '--rate', '20/s', '-s', '16KB', '--verify-timeout', '2s', '--quiet']

void describe('the store of a run', { concurrency: true }, () => {
  test('a store that cannot be looked into ends a run and a verdict before they begin, in one sentence', async (t) => {
    const store = await startTestStore(t)
    const sent: string[] = []
    const { port } = await startPlainBroker(t, ({ topic }) => { sent.push(topic) })
    const run = join(store.dir, 'run.json')
    await runSimulator(['-p', String(port), ...small, '--run-file', run])
    sent.length = 0
    const keys = ['--s3-access-key-id', credentials.accessKeyId, '--s3-secret-access-key', credentials.secretAccessKey]
    const cases: ReadonlyArray<readonly [RegExp, ...string[]]> = [
      [/^no object store answers at http:\/\/127\.0\.0\.1:9 \(.*ECONNREFUSED.*; start it, or name another with /,
        '--s3-endpoint', 'http://127.0.0.1:9', '--s3-bucket', bucket, ...keys],
      [/^the object store at .* has no bucket nowhere \(NoSuchBucket.*; make it, or name another with --s3-bucket$/,
        '--s3-endpoint', store.endpoint, '--s3-bucket', 'nowhere', ...keys],
      [/^the object store at .* refuses the credentials nobody for the bucket images \(InvalidAccessKeyId.*; check /,
        '--s3-endpoint', store.endpoint, '--s3-bucket', bucket, '--s3-access-key-id', 'nobody',
        '--s3-secret-access-key', 'nothing'],
      [/^the object store at .* refuses the credentials .* \(SignatureDoesNotMatch/,
        '--s3-endpoint', store.endpoint, '--s3-bucket', bucket, '--s3-access-key-id', credentials.accessKeyId,
        '--s3-secret-access-key', 'no']
    ]
    for (const [sentence, ...args] of cases) {
      for (const command of [['-p', String(port), ...small, '--verify'], ['verify', '--run', run]]) {
        const { code, stderr, stdout } = await runSimulator([...command, ...args])
        assert.deepEqual([code, stderr.split('\n').length, stdout], [69, 1, ''], stderr)
        assert.match(stderr, sentence)
      }
    }
    assert.deepEqual(sent, [])
  })

  test('a store that takes the connection and says nothing is given up', async (t) => {
    const server = createServer(() => {})
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await assert.rejects(probeStore({ endpoint, bucket, ...credentials }, new AbortController().signal, 200),
      { code: 'UNAVAILABLE', message: /^no object store answers at .* \(it said nothing for 0\.2 s\); start it/ })
  })

  test('a run is judged from another folder than it was made in', async (t) => {
    const store = await startTestStore(t)
    const { port } = await startPutting(t, store)
    const other = join(store.dir, 'other')
    await mkdir(other)
    await writeFile(join(store.dir, 'access.json'), JSON.stringify({ endpoint: store.endpoint, bucket, ...credentials }))
    await spawnSimulator(['run', '-p', String(port), ...small, '--verify', '--s3-file', 'access.json', '--run-file', 'run.json'], store.dir)
    const { code, stdout } = await spawnSimulator(['verify', '--run', '../run.json', '--verify-timeout', '2s'], other)
    assert.match(stdout, /held: 12 of 12/)
    assert.equal(code, 0)
  })

  test('a run whose line to the store could not be turned as planned says so first, and is not valid', async (t) => {
    const { port } = await startPlainBroker(t)
    const control = createServer((request, response) => { // it fails at the outage
      request.resume().on('end', () => { response.writeHead(asked++ < 3 ? 200 : 500).end('{}') })
    })
    let asked = 0
    const endpoint = `http://127.0.0.1:${(await listen(t, control)).port}`
    const { code, stdout } = await runSimulator(['-p', String(port), '-c', '1', '-d', '1s', '--rate', '5/s', '-s', '16KB', '--quiet',
      '--uplink', '1Mbit,outage=200ms+60s', '--s3-endpoint', endpoint, '--s3-bucket', bucket, '--store-control', endpoint])
    const first = /^results are not valid: the line to the store was not turned as the scenario says: the store/
    assert.match(stdout, first)
    assert.match(stdout, /\ndelivery .*PUBACKed 5,[^]*\nsimulator {4}NOT valid: /)
    assert.equal(code, 69)
  })

  test('options that no flag is called by, or that are of another kind, are refused all at once', async (t) => {
    const options = join(await makeFolder(t), 'options.yaml')
    await writeFile(options, 'verify: perhaps\ncolour: red\nout: [a]\npassword: { a: b }\nmetricsPort: 99999\nthreshold: [a]\n')
    const wrong = await runSimulator(['--load-options', options])
    assert.deepEqual(wrong.stderr.replaceAll(`load-options: ${options}: `, '').split('\n'), [
      'verify: wanted true or false, got "perhaps"', 'colour: there is no such flag; --help lists them',
      'out: wanted a text, got ["a"]', 'password: wanted a text'
    ])
    await writeFile(options, 'verifyTimeout: 5\nids: false\nuplink: false\n')
    const { code, stderr } = await runSimulator(['--load-options', options])
    assert.deepEqual([wrong.code, code, stderr], [64, 64, '--verify-timeout: wanted a time such as 5m, got "5"'])
  })

  test('saved options keep the scenario, and a run of them is a run of it', async (t) => {
    const { port } = await startPlainBroker(t)
    const dir = await makeFolder(t)
    const [options, json] = [join(dir, 'options.yaml'), join(dir, 'report.json')]
    const site = relative(process.cwd(), join(dir, 'gate.yaml'))
    await writeFile(site, 'devices: { count: 2, rate: 20/s, size: 16KB }\nlimit: 5\n')
    const saving = await runSimulator(['run', site, '-p', String(port), '--quiet', '--save-options', options])
    const { code } = await runSimulator(['--load-options', options, '--out', json])
    assert.deepEqual([saving.code, code], [0, 0], saving.stderr)
    const { scenario, counts } = JSON.parse(await readFile(json, 'utf8')) as { scenario: string, counts: { captured: number } }
    assert.deepEqual([scenario, counts.captured], ['gate', 5])
  })
})

/** A broker that puts each image before its PUBACK. */
async function startPutting (t: TestContext, { client }: TestStore): Promise<{ readonly port: number }> {
  return await startPlainBroker(t, async ({ topic, payload }) => {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: topic, Body: payload }))
  })
}
