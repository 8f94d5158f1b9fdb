import type { IncomingMessage } from 'node:http'
import { hashSource } from './content-security.ts'
import type { HttpDeps, HttpOptions } from './deps.ts'
import type { Exchange, Handler } from './exchange.ts'
import { listStates } from './image-list.ts'
import { ALL } from './image-query.ts'
import type { LiveStatus } from './live-status.ts'
import { html } from './markup.ts'
import { viewConnect, viewFailed, viewPictures } from './page-images.ts'
import { viewLanes } from './page-lanes.ts'
import { SCRIPT } from './page-script.ts'
import { STYLE } from './page-style.ts'
import { formatTitle, TONES, viewFlow, viewHeader, viewLedger, viewVerdict } from './page-view.ts'
import type { Reply } from './reply.ts'

const PICTURES = 24
const FAILURES = 12

/** The page at /, made anew for every request: it shows what is, and works without its script. */
export function createPageHandler (
  { spool, uplink }: Pick<HttpDeps, 'spool' | 'uplink'>, { mqtt }: Pick<HttpOptions, 'mqtt'>, live: LiveStatus
): Handler {
  return async function page ({ request, who }: Exchange): Promise<Reply> {
    const [status, levels, now] = [live.read(), uplink.levels, Date.now()]
    const latest = await listStates(spool, { ...ALL, limit: PICTURES }, ['waiting', 'uploaded', 'failed'])
    const { held: failed } = await listStates(spool, { ...ALL, limit: FAILURES }, ['failed'])
    const host = hostOf(request)
    const body = html`${viewHeader(status)}
<p id="stale" role="alert" hidden></p>
<main>
${viewVerdict(status)}
${viewFlow(status)}
${viewLanes(status)}
${viewLedger(status)}
${viewFailed(failed.filter((held) => held.state === 'failed'), status.ledger.failed, now)}
${viewPictures(latest.held, levels, now)}
${viewConnect({ mqtt: { ...mqtt, host: reachable(mqtt.host, host) }, http: host })}
</main>
<footer><a href="/api/v1/status">status</a><a href="/api/v1/images">images</a><a href="/metrics">metrics</a><a href="/readyz">ready?</a>${who.kind !== 'nameless' && LOGOUT}</footer>`
    const head = html`<title>${formatTitle(status)}</title>
<link rel="icon" href="${icon(TONES[status.verdict.word])}">`
    return { status: 200, headers: HEADERS, body: document(head.toString(), body.toString()) }
  }
}

const LOGOUT = html`<button data-method="DELETE" data-url="/login">log out</button>`

function document (head: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${head}
<noscript><meta http-equiv="refresh" content="5"></noscript>
<style>${STYLE}</style>
</head>
<body>
${body}
<script>${SCRIPT}</script>
</body>
</html>
`
}

/** Nothing runs on the page but these two texts, and nothing is fetched but from here. */
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': [
    "default-src 'none'", "img-src 'self' data:", "connect-src 'self'", `script-src ${hashSource(SCRIPT)}`,
    `style-src ${hashSource(STYLE)}`, "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"
  ].join('; ')
}

const ICON_COLOURS = { good: '#2f9e68', busy: '#3b82c4', warn: '#d08a1d', bad: '#d1453b' }

/** A dot in the colour of the verdict, to be seen in a row of tabs. */
function icon (tone: keyof typeof ICON_COLOURS): string {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6" fill="${ICON_COLOURS[tone]}"/></svg>`
  return `data:image/svg+xml,${encodeURIComponent(svg)}`
}

/** It goes into a line that people paste into a shell, and a peer may send anything as its Host. */
function hostOf ({ headers: { host = '' }, socket }: IncomingMessage): string {
  return /^([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d+)?$/i.test(host) ? host : `localhost:${socket.localPort}`
}

/** Where every interface is listened on, the name this page was reached by is one that works. */
function reachable (listened: string, host: string): string {
  return listened === '0.0.0.0' || listened === '::' ? host.replace(/:\d+$/, '').replace(/[[\]]/g, '') : listened
}
