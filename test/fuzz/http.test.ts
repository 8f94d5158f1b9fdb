// Requests that are nearly right, to every route of the HTTP surface.

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { startSite } from '../helpers/http.ts'
import { jpegOf } from '../helpers/jpeg.ts'
import { effortOf } from './effort.ts'
import { mutate } from './mutate.ts'

const BATCH = 60
const ANSWER_MS = 500

const paths = fc.constantFrom(
  '/', '/livez', '/readyz', '/metrics', '/list', '/api/v1/status', '/api/v1/images', '/api/v1/images/retry', '/api/v1/uplink/pause',
  '/api/v1/uplink/limits', '/api/v1/drain', '/api/v1/images/cam-1~i1', '/api/v1/images/%00', '/api/v1/images/..%2f..%2fetc%2fpasswd/content',
  '/%', '/api/v1/images/%ff', '//', '/__proto__', '*', 'http://evil.example/', '/login'
)
const queries = fc.constantFrom(
  '', '?device=cam-1&id=i1', '?device=..', '?device=a%00b', '?limit=-1', '?limit=1e9', '?cursor=x', '?cursor=%ff', '?state=none', '?from=x&to=NaN', '?%', '?' + 'a=b&'.repeat(200)
)
const headers = fc.array(fc.constantFrom(
  'Content-Type: image/jpeg', 'Content-Type: application/json', 'Content-Type: multipart/form-data; boundary=b', 'Content-Type: multipart/form-data',
  'Content-Type: \ufffd', 'Transfer-Encoding: chunked', 'Expect: 100-continue', 'Host: evil.example', 'Origin: http://evil.example', 'Authorization: Bearer x',
  'Authorization: Basic %%', 'X-Device-Id: cam-1', 'X-Device-Id: ../x', 'X-Image-Id: a\tb', 'Content-Encoding: gzip', 'Upgrade: websocket', 'Connection: upgrade'
), { maxLength: 5 })
const image = jpegOf(300).toString('latin1')
const bodies = fc.oneof(
  fc.constantFrom(
    '', image, '{"image":"/9j/4AAQ","device":"cam-1"}', '{"image":1}', '['.repeat(2000), '{"share":"20%"}', '{"share":{"__proto__":1}}', '{"selection":{}}',
    `--b\r\nContent-Disposition: form-data; name="file"; filename="../../x"\r\n\r\n${image}\r\n--b--\r\n`, '--b\r\n\r\n--b--', '--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
  ),
  fc.json(), fc.string({ unit: 'binary', maxLength: 200 })
)
const requests = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'PUT', 'TRACE', 'get'), path: paths, query: queries, headers, body: bodies
}).map(({ method, path, query, headers, body }) => {
  const bytes = Buffer.from(body, 'latin1')
  const length = headers.includes('Transfer-Encoding: chunked') ? [] : [`Content-Length: ${bytes.length}`]
  const head = [`${method} ${path}${query} HTTP/1.1`, 'Host: localhost', ...headers, ...length].join('\r\n')
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`, 'latin1'), bytes])
})

test('whatever is sent to the HTTP port, it is answered without a fault, and the next request too', async (t) => {
  const site = await startSite(t)
  const { seed, random, goesOn } = effortOf(t, 0.15)
  const port = Number(new URL(site.url).port)
  const statuses = new Map<string, number>()
  let count = 0
  for (let batch = 0; batch === 0 || goesOn(); batch++) {
    const inputs = fc.sample(requests, { seed: seed + batch, numRuns: BATCH })
      .map((bytes, nth) => nth % 2 === 0 ? bytes : mutate(bytes, random))
    const answers = await Promise.all(inputs.map((bytes) => answerTo(port, bytes)))
    for (const [nth, answer] of answers.entries()) {
      const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 'none'
      assert.ok(!/^5/.test(status) || status === '503', `${status} to ${inputs[nth]?.toString('latin1')}: ${answer}`)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      count++
    }
    assert.equal((await fetch(`${site.url}/livez`)).status, 200)
  }
  t.diagnostic(`${count} requests: ${[...statuses].sort().map(([status, times]) => `${status} ${times} times`).join(', ')}`)
})

/** What came until the connection ended, or for so long. */
async function answerTo (port: number, bytes: Buffer): Promise<string> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    const end = (): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(end, ANSWER_MS)
    socket.setEncoding('latin1')
    socket.on('data', (text) => { answer += String(text) })
    socket.on('error', end)
    socket.on('close', end)
    socket.end(bytes)
  })
}
