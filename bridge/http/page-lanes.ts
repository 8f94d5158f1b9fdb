import { formatBytes, formatCount, formatSpan } from '../amounts.ts'
import { lanesInUse, type LaneStatus } from '../lane-status.ts'
import type { Status } from '../status.ts'
import { html, type Markup } from './markup.ts'

/** What is to come, below the verdict; a line each, and seldom any. */
export function viewWarnings ({ warnings }: Status): Markup {
  if (warnings.length === 0) return html``
  return html`
<ul class="ahead">
${warnings.map(({ sentence }) => html`<li>${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.</li>`)}
</ul>`
}

/** Only at a site that uses more than one. */
export function viewLanes ({ backlog: { lanes } }: Status): Markup {
  const used = lanesInUse(lanes)
  if (used.length === 0) return html``
  return html`
<section>
<h2>Lanes, the most urgent first</h2>
<table class="lanes">
<thead><tr><th>Lane</th><th>Waiting</th><th>Oldest</th><th>An image of now is up in</th></tr></thead>
<tbody>${used.map(([name, lane]) => viewLane(name, lane))}</tbody>
</table>
</section>`
}

function viewLane (name: string, lane: LaneStatus): Markup {
  const { count, bytes, oldestReceivedAt, oldestSeconds, newImageUpInSeconds } = lane
  const upIn = newImageUpInSeconds === undefined ? 'not known' : formatSpan(newImageUpInSeconds)
  return html`
<tr>
<th scope="row">${name}</th>
<td>${formatCount(count)}${count > 0 && html` <small>${formatBytes(bytes)}</small>`}</td>
<td>${oldestReceivedAt === undefined ? '-' : formatSpan(oldestSeconds)}</td>
<td>${upIn}</td>
</tr>`
}
