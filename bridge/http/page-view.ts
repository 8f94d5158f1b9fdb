import { formatBytes, formatCount, formatImages, formatLine, formatLineOf, formatPace, formatPercent, formatSpan } from '../amounts.ts'
import { formatLimit } from '../limit-status.ts'
import type { Status } from '../status.ts'
import type { VerdictWord } from '../verdict.ts'
import { html, type Markup } from './markup.ts'
import { viewWarnings } from './page-lanes.ts'

/** How a verdict looks: its word says it, too, for those who see no colour. */
export const TONES: { readonly [word in VerdictWord]: 'good' | 'busy' | 'warn' | 'bad' } = {
  'KEEPING UP': 'good',
  'CATCHING UP': 'busy',
  'FALLING BEHIND': 'warn',
  'UPLOADS PAUSED': 'warn',
  'UPLINK DOWN': 'bad',
  'STORAGE ERROR': 'bad',
  'NOT ACCEPTING': 'bad'
}

export function viewVerdict (status: Status): Markup {
  const { word, sentence } = status.verdict
  // No line is to end between a number and its unit.
  const said = sentence.slice(word.length + 2).replace(/(\d) (?=\p{L})/gu, '$1\u00a0')
  return html`
<section class="verdict ${TONES[word]}">
<h2>${word}</h2>
<p>${said.charAt(0).toUpperCase()}${said.slice(1)}</p>${viewWarnings(status)}
</section>`
}

/** The way of an image, left to right, as it stands in this minute. */
export function viewFlow (status: Status): Markup {
  return html`
<section aria-label="Flow">
<ol class="flow">
${viewDevices(status)}${viewSpool(status)}${viewUplink(status)}${viewStore(status)}
</ol>
</section>`
}

export function viewLedger ({ ledger }: Status): Markup {
  const { acknowledged, uploaded, waiting, failed, dropped, exact } = ledger
  const term = (sign: string, count: number, name: string): Markup =>
    html`<div data-sign="${sign}"><dt>${name}</dt><dd>${formatCount(count)}</dd></div>`
  return html`
<section>
<h2>Every image a device was told it may forget</h2>
<dl class="ledger">
${term('', acknowledged, 'acknowledged')}${term('=', uploaded, 'uploaded')}${term('+', waiting, 'waiting')}
${term('+', failed, 'failed')}${term('+', dropped, 'dropped')}
</dl>
<p${exact ? '' : html` class="broken"`}>${exact ? 'It adds up exactly.' : 'It does not add up: see the log.'}</p>
</section>`
}

function viewDevices ({ rates, images, duplicates, accepting }: Status): Markup {
  return html`
<li><h3>Devices</h3>
<p class="figure">${formatPace(rates.in.imagesPerSecond)} <small>images/s in</small></p>
<p>${formatLine(rates.in.bytesPerSecond)}</p>
<p>${formatCount(images.refused.count)} refused, ${formatCount(duplicates)} sent twice</p>
${!accepting && html`<p class="alarm">none acknowledged</p>`}
</li>`
}

function viewSpool ({ backlog, spool }: Status): Markup {
  const share = spool.limitBytes > 0 ? spool.usedBytes / spool.limitBytes : 0
  return html`
<li><h3>Spool</h3>
<p class="figure">${formatCount(backlog.count)} <small>${backlog.count === 1 ? 'waits' : 'wait'}</small></p>
<p>${backlog.count > 0 ? `${formatBytes(backlog.bytes)}, the oldest for ${formatSpan(backlog.oldestSeconds)}` : 'no backlog'}</p>
<p>${formatBytes(spool.usedBytes)} of ${formatBytes(spool.limitBytes)} disk</p>
${viewBar(share)}
</li>`
}

function viewUplink ({ rates, allowance, images, uplink, limit, at }: Status): Markup {
  const tried = images.retrying.count > 0 && html`, ${formatCount(images.retrying.count)} to be tried again`
  return html`
<li><h3>Uplink</h3>
<p class="figure">${formatPace(rates.out.imagesPerSecond)} <small>images/s out</small></p>
<p>${formatLineOf(allowance.sentBytesPerSecond, allowance.bytesPerSecond ?? Infinity)} allowed</p>
${viewLimit(limit, at)}${viewCarried(allowance)}
${uplink.state === 'down'
  ? html`<p class="alarm">down: ${uplink.reason}</p>`
  : html`<p>${formatCount(images.uploading.count)} uploading${tried}</p>`}
${viewBar(allowance.used)}
</li>`
}

/** Where it is not the usual share at all times: why, until when, and what then. */
function viewLimit (limit: Status['limit'], at: string): Markup | false {
  const said = formatLimit(limit, (until) =>
    `for another ${formatSpan(Math.max(0, Date.parse(until) - Date.parse(at)) / 1000)}`)
  return said !== '' && html`<p title="${limit.until ?? ''}">${said}</p>`
}

function viewCarried ({ bytesPerSecond = Infinity, carriedBytesPerSecond: line = Infinity }: Status['allowance']): Markup | false {
  return line < bytesPerSecond && html`<p class="thin">line carries ${formatLineOf(line, bytesPerSecond)} allowed</p>`
}

function viewStore ({ ledger, uplink, store, at }: Status): Markup {
  const ago = uplink.lastStoredAt === undefined ? undefined : (Date.parse(at) - Date.parse(uplink.lastStoredAt)) / 1000
  return html`
<li><h3>Store</h3>
<p class="figure">${formatCount(ledger.uploaded)} <small>stored</small></p>
<p>${ago === undefined ? 'none since the start' : `the last ${formatSpan(Math.max(0, ago))} ago`}</p>
<p>${store.place}</p>
</li>`
}

function viewBar (share: number): Markup {
  const width = Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10
  return html`<svg class="bar${share > 0.9 && ' hot'}" viewBox="0 0 100 1" preserveAspectRatio="none" role="img" aria-label="${formatPercent(share)}"><rect width="${width}" height="1"/></svg>`
}

export function viewHeader ({ version, uptimeSeconds }: Status): Markup {
  return html`<header><h1>Sluice</h1><span>${version}</span><span>up ${formatSpan(uptimeSeconds)}</span></header>`
}

export function formatTitle ({ verdict: { word }, backlog }: Status): string {
  return `${word}${backlog.count > 0 ? ` (${formatImages(backlog.count)})` : ''} · Sluice`
}
