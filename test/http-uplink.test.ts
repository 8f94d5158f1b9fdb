import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UplinkJson } from '../bridge/http/uplink.ts'
import { ask, startSite } from './helpers/http.ts'

test('a limit is set as a rate or as a share, shown as it was set, and put back with null', async (t) => {
  const { url } = await startSite(t)
  const patch = async (body: object): Promise<UplinkJson> => {
    const answer = await ask(`${url}/api/v1/uplink/limits`, { method: 'PATCH' }, JSON.stringify(body))
    assert.equal(answer.status, 200, answer.body)
    return JSON.parse(answer.body) as UplinkJson
  }
  const rate = await patch({ rate: '6Mbit', for: '1h', reason: 'the backup' })
  assert.deepEqual([rate.override?.rate, rate.limit.bytesPerSecond, rate.override?.reason], ['6Mbit', 750_000, 'the backup'])
  assert.equal(Date.parse(rate.limit.until ?? '') - Date.parse(rate.limit.since ?? ''), 3_600_000)
  const share = await patch({ share: '30%' })
  assert.deepEqual([share.override?.share, share.limit.bytesPerSecond, share.limit.until], ['30%', 37_500_000, undefined])
  const back = await patch({ rate: null })
  assert.deepEqual([back.override, back.limit.source, back.warning], [undefined, 'share', undefined])
  const shown = await ask(`${url}/api/v1/uplink`)
  assert.deepEqual(JSON.parse(shown.body), JSON.parse(JSON.stringify(back)))
})

for (const [what, body, status, detail] of [
  ['without an amount', {}, 422, /no rate and no share/],
  ['with two amounts', { rate: '6Mbit', share: '30%' }, 422, /send one of them/],
  ['with a plain number', { rate: 6 }, 422, /6 is not a rate in bits per second; write it like 6Mbit/],
  ['of nothing', { share: '0%' }, 422, /0bit is too little to send an image with; write 8kbit or more, or pause/],
  ['beyond the line', { rate: '2Gbit' }, 422, /2Gbit is more than the line carries; uplink\.capacity is 1Gbit/],
  ['for no time', { rate: '6Mbit', for: '0' }, 422, /"0" is not a time from 1s to 366d/],
  ['with a reason of two lines', { rate: '6Mbit', reason: 'a\nb' }, 422, /not one line of at most 200/],
  ['with a field nobody knows', { rate: '6Mbit', until: 'noon' }, 400, /no field "until"/],
  ['that is a list', [], 400, /not a JSON object/]
] as const) {
  test(`a limit ${what} is refused in words and changes nothing`, async (t) => {
    const { url } = await startSite(t)
    const answer = await ask(`${url}/api/v1/uplink/limits`, { method: 'PATCH' }, JSON.stringify(body))
    assert.equal(answer.status, status)
    assert.equal(answer.headers['content-type'], 'application/problem+json')
    assert.match((JSON.parse(answer.body) as { detail: string }).detail, detail)
    const { limit } = JSON.parse((await ask(`${url}/api/v1/uplink`)).body) as UplinkJson
    assert.equal(limit.source, 'share')
  })
}

test('a body where none is wanted is answered with that, not with a list of nothing', async (t) => {
  const { url } = await startSite(t)
  const answer = await ask(`${url}/api/v1/uplink/resume`, { method: 'POST' }, '{"for":"1h"}')
  const { detail, hint } = JSON.parse(answer.body) as { detail: string, hint: string }
  assert.deepEqual([answer.status, detail, hint], [400, 'there is no field "for"', 'Send no body.'])
})

test('only who may act on images may limit, pause or resume uploads, and everybody may look', async (t) => {
  const { url } = await startSite(t, { http: { token: 'correct-horse-battery-staple' } })
  for (const [method, path] of [['PATCH', 'limits'], ['POST', 'pause'], ['POST', 'resume']] as const) {
    const answer = await ask(`${url}/api/v1/uplink/${path}`, { method }, '{"rate":"6Mbit"}')
    assert.equal(answer.status, 401, path)
  }
  const { limit } = JSON.parse((await ask(`${url}/api/v1/uplink`)).body) as UplinkJson
  assert.deepEqual([limit.source, limit.paused], ['share', undefined])
})
