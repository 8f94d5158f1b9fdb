import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { html } from '../bridge/http/markup.ts'
import { ask, keep, startSite, type TestSite } from './helpers/http.ts'
import { jpegOf } from './helpers/jpeg.ts'

const HOSTILE = '</p><script>alert("1")</script><img src=x onerror=\'alert(2)\'>&amp;'

async function page (site: TestSite, headers: Record<string, string> = {}): Promise<string> {
  const { status, body } = await ask(`${site.url}/`, { headers })
  assert.equal(status, 200)
  return body
}

/** Without its own script and style, which hold everything that markup is made of. */
function markupOf (body: string): string {
  return body.replace(/<(script|style)>[^]*?<\/\1>/g, '')
}

test('markup escapes whatever is not markup, in text and in attributes', () => {
  assert.equal(html`<p title="${HOSTILE}">${HOSTILE}</p>`.toString().replaceAll('&lt;', '').match(/[<>]/g)?.length, 4)
  assert.equal(html`${'<&>"\''}`.toString(), '&lt;&amp;&gt;&quot;&#39;')
  assert.equal(html`<ul>${['<', html`<li>`, 3, undefined, false, [html`<b>`]]}</ul>`.toString(), '<ul>&lt;<li>3<b></ul>')
  const forged = { toString: () => '<script>' } as unknown as string // what untyped JSON might smuggle in
  assert.throws(() => html`${forged}`)
})

test('the page shows verdict, flow, ledger, pictures and where devices connect', async (t) => {
  const site = await startSite(t)
  for (let i = 0; i < 30; i++) await keep(site.spool, 'cam-1', `i${i}`, jpegOf(1000))
  const body = await page(site)
  assert.match(body, /<h2>KEEPING UP<\/h2>\s*<p>30\u00a0images \(30\u00a0kB\) wait/)
  assert.match(body, /<title>KEEPING UP \(30 images\) · Sluice<\/title>/)
  for (const [name, count] of [['acknowledged', 30], ['uploaded', 0], ['waiting', 30], ['failed', 0], ['dropped', 0]] as const) {
    assert.match(body, new RegExp(`<dt>${name}</dt><dd>${count}</dd>`))
  }
  assert.match(body, /It adds up exactly/)
  const pictures = [...body.matchAll(/<img src="([^"]+)"/g)].map(([, src]) => src)
  assert.equal(pictures.length, 24)
  assert.equal(pictures[0], '/api/v1/images/cam-1:i29/content')
  assert.match(body, /mosquitto_pub -h 127\.0\.0\.1 -p 1883 -q 1 -t devices\/cam-1\/images -f photo\.jpg/)
})

test('what failed is listed with its reason and the ways out, and only when there is some', async (t) => {
  const site = await startSite(t)
  assert.doesNotMatch(markupOf(await page(site)), /Would not upload/)
  const entry = await keep(site.spool, 'cam-1', 'bad', jpegOf(1000))
  await site.spool.setAside(entry, { failedAt: Date.now(), reason: 'store_refused', detail: 'EntityTooLarge', attempts: 1 })
  const body = await page(site)
  assert.match(body, /<b>store_refused<\/b> <bdi>EntityTooLarge<\/bdi>/)
  assert.match(body, /data-method="POST" data-url="\/api\/v1\/images\/cam-1:bad\/retry"/)
  assert.match(body, /data-method="DELETE" data-url="\/api\/v1\/images\/cam-1:bad"/)
})

test('hostile texts come out as text', async (t) => {
  const mqtt = { host: '127.0.0.1', port: 1883, topicPrefix: HOSTILE }
  const site = await startSite(t, { http: { mqtt, version: HOSTILE } })
  const entry = await keep(site.spool, 'cam-1', 'bad', jpegOf(1000))
  await site.spool.setAside(entry, { failedAt: Date.now(), reason: HOSTILE, detail: HOSTILE, attempts: 1 })
  const body = markupOf(await page(site))
  assert.doesNotMatch(body, /<script|onerror='|<img src=x/)
  assert.equal(body.split('&lt;script&gt;').length - 1, 4)
})

test('no Host header gets into the lines that people paste into a shell', async (t) => {
  const site = await startSite(t, { http: { anonymous: 'always' } })
  for (const host of ["x';rm -rf ~;'", '$(id)', '`id`:80', 'a;b', '"x"']) {
    const body = await page(site, { host })
    assert.ok(body.includes(`'http://localhost:${site.port}/api/v1/images?device=cam-1'`), host)
    assert.ok(!body.includes(host))
  }
  assert.match(await page(site, { host: 'gate.example:8080' }), /http:\/\/gate\.example:8080\/api/)
})

test('where every interface is listened on, devices are shown the name the page was reached by', async (t) => {
  const site = await startSite(t, { http: { anonymous: 'always', mqtt: { host: '0.0.0.0', port: 1883, topicPrefix: 'devices' } } })
  assert.match(await page(site, { host: 'gate.example:8080' }), /mosquitto_pub -h gate\.example -p 1883/)
})

test('the policy lets nothing run but the script of the page, and nothing is fetched from elsewhere', async (t) => {
  const site = await startSite(t)
  const { headers, body } = await ask(`${site.url}/`)
  const policy = String(headers['content-security-policy'])
  for (const kind of ['script', 'style'] as const) {
    const text = new RegExp(`<${kind}>([^]*?)</${kind}>`).exec(body)?.[1] ?? ''
    const hash = createHash('sha256').update(text).digest('base64')
    assert.ok(text.length > 100 && policy.includes(`${kind}-src 'sha256-${hash}'`))
  }
  assert.match(policy, /default-src 'none'.*base-uri 'none'; form-action 'none'; frame-ancestors 'none'/)
  assert.doesNotMatch(body, /(src|href)="(https?:)?\/\//)
  assert.doesNotMatch(markupOf(body), / (style|on[a-z]+)="/)
})

test('without its script the page reloads itself', async (t) => {
  const site = await startSite(t)
  assert.match(await page(site), /<noscript><meta http-equiv="refresh" content="5"><\/noscript>/)
})
