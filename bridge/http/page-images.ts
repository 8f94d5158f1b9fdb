import { formatBytes, formatSpan } from '../amounts.ts'
import type { Held } from '../entry.ts'
import type { UplinkLevels } from '../uplink/uplink.ts'
import { imageName, imagePath, imageState } from './image-json.ts'
import { html, type Markup } from './markup.ts'

/** The pictures themselves, scaled by the browser, in boxes that do not move while they load. */
export function viewPictures (latest: readonly Held[], uplink: UplinkLevels, now: number): Markup {
  if (latest.length === 0) return html``
  return html`
<section id="pictures">
<h2>Last images</h2>
<ul class="pictures">
${latest.map((held) => viewPicture(held, uplink, now))}
</ul>
</section>`
}

function viewPicture (held: Held, uplink: UplinkLevels, now: number): Markup {
  const { entry } = held
  const state = imageState(held, uplink)
  const content = `${imagePath(entry)}/content`
  return html`
<li><a id="see-${imageName(entry)}" href="${content}" title="${entry.imageId}, ${formatBytes(entry.bytes)}">
<img src="${content}" alt="${entry.imageId} of ${entry.deviceId}" loading="lazy" decoding="async" width="320" height="240">
<span>${entry.deviceId}</span>
<span><i class="${state}">${state}</i>, ${formatAgo(entry.receivedAt, now)}</span></a></li>`
}

export function viewFailed (failed: ReadonlyArray<Held & { state: 'failed' }>, count: number, now: number): Markup {
  if (failed.length === 0) return html``
  return html`
<section>
<h2>Would not upload, kept here</h2>
<table class="failed">
<thead><tr><th>Image</th><th>Reason</th><th>Tried</th><th></th></tr></thead>
<tbody>${failed.map((held) => viewFailure(held, now))}</tbody>
</table>
${count > failed.length && html`<p class="quiet">The latest ${failed.length} of ${count}. <a href="/api/v1/images?state=failed">All</a></p>`}
</section>`
}

function viewFailure ({ entry, failure }: Held & { state: 'failed' }, now: number): Markup {
  const [name, path] = [imageName(entry), imagePath(entry)]
  const tried = `${failure.attempts} ${failure.attempts === 1 ? 'time' : 'times'}, last ${formatAgo(failure.failedAt, now)}`
  const question = `Delete ${name} for good? Nobody else has it.`
  return html`
<tr>
<td><a href="${path}/content">${entry.deviceId}<wbr>:${entry.imageId}</a></td>
<td><b>${failure.reason}</b> <bdi>${failure.detail}</bdi></td>
<td>${tried}</td>
<td><button id="retry-${name}" data-method="POST" data-url="${path}/retry">Try again</button>
<button id="drop-${name}" data-method="DELETE" data-url="${path}" data-question="${question}">Delete</button></td>
</tr>`
}

export interface Places {
  readonly mqtt: { readonly host: string, readonly port: number, readonly topicPrefix: string }
  /** Host and port of this page. */
  readonly http: string
}

/** The lines that a person with a photo pastes into a terminal. */
export function viewConnect ({ mqtt: { host, port, topicPrefix }, http }: Places): Markup {
  return html`
<section>
<h2>Send an image</h2>
<pre>mosquitto_pub -h ${host} -p ${port} -q 1 -t ${topicPrefix}/cam-1/images -f photo.jpg</pre>
<pre>curl -H 'Content-Type: image/jpeg' --data-binary @photo.jpg 'http://${http}/api/v1/images?device=cam-1'</pre>
<p class="quiet">MQTT 3.1.1 at QoS 1: once the PUBACK is there, the image is safe on this disk. The same after the 201 over HTTP.</p>
</section>`
}

function formatAgo (at: number, now: number): string {
  const seconds = (now - at) / 1000
  return seconds < 10 ? 'just now' : `${formatSpan(seconds)} ago`
}
