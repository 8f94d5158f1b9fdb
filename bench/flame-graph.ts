// A CPU profile of V8 as a page with a flame graph in it, which needs nothing else: a frame is as wide as its share of
// the time, what it called stands below it, and a click on one makes it as wide as the page.

import { basename, dirname } from 'node:path'

/** The format of --cpu-prof, as far as it is read here; all times in microseconds. */
export interface CpuProfile {
  readonly startTime: number
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  /** From the sample before. */
  readonly timeDeltas: readonly number[]
}

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string, readonly url: string, readonly lineNumber: number }
  readonly children?: readonly number[]
}

export interface Frame {
  readonly name: string
  self: number
  total: number
  readonly calls: Map<string, Frame>
}

export interface SelfTime {
  readonly name: string
  readonly share: number
  readonly microsecondsPerImage: number
}

/** The tree of what was called between two moments of CLOCK_MONOTONIC, calls of one name from one place together. */
export function readFrames (profile: CpuProfile, { from, to }: { from: number, to: number }): Frame {
  const times = new Map<number, number>()
  let at = profile.startTime
  for (const [nth, id] of profile.samples.entries()) {
    const delta = profile.timeDeltas[nth] ?? 0
    at += delta
    if (at >= from && at <= to) times.set(id, (times.get(id) ?? 0) + delta)
  }
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const root: Frame = { name: 'all', self: 0, total: 0, calls: new Map() }
  const [top] = profile.nodes
  if (top !== undefined) addCalls(root, top, nodes, times)
  return root
}

function addCalls (
  frame: Frame, node: ProfileNode, nodes: ReadonlyMap<number, ProfileNode>, times: ReadonlyMap<number, number>
): number {
  const self = times.get(node.id) ?? 0
  let total = self
  for (const id of node.children ?? []) {
    const child = nodes.get(id)
    if (child === undefined) continue
    const name = nameOf(child)
    const callee = frame.calls.get(name) ?? { name, self: 0, total: 0, calls: new Map<string, Frame>() }
    frame.calls.set(name, callee)
    total += addCalls(callee, child, nodes, times)
  }
  frame.self += self
  frame.total += total
  return total
}

function nameOf ({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const name = functionName === '' ? '(anonymous)' : functionName
  if (url === '') return name
  return `${name} ${basename(dirname(url))}/${basename(url)}:${lineNumber + 1}`
}

/** What each function cost by itself, the most first. */
export function selfTimes (root: Frame, images: number): SelfTime[] {
  const times = new Map<string, number>()
  const visit = (frame: Frame): void => {
    times.set(frame.name, (times.get(frame.name) ?? 0) + frame.self)
    for (const callee of frame.calls.values()) visit(callee)
  }
  visit(root)
  return [...times].sort(([, a], [, b]) => b - a)
    .map(([name, time]) => ({ name, share: time / root.total, microsecondsPerImage: time / images }))
}

/** Narrower frames than this share are left out. */
const SHARE_MIN = 0.0005
const ROW = 18

export function formatFlameGraph (root: Frame, title: string): string {
  const boxes: string[] = []
  const depth = addBoxes(boxes, root, { left: 0, depth: 0, total: root.total })
  return `<!doctype html><meta charset="utf-8"><title>${escape(title)}</title>
<style>
body { font: 12px/1 sans-serif; margin: 8px }
#graph { position: relative; height: ${(depth + 1) * ROW}px; overflow: hidden }
#graph div { position: absolute; height: ${ROW - 2}px; line-height: ${ROW - 2}px; overflow: hidden; white-space: nowrap; cursor: pointer; border-radius: 2px; text-indent: 3px }
</style>
<h3>${escape(title)}</h3>
<div id="graph">${boxes.join('\n')}</div>
<script>
const boxes = [...document.querySelectorAll('#graph div')]
const show = (left, width) => boxes.forEach((box) => {
  box.style.left = (box.dataset.left - left) / width * 100 + '%'
  box.style.width = 'calc(' + box.dataset.width / width * 100 + '% - 1px)'
})
boxes.forEach((box) => box.addEventListener('click', () => show(box.dataset.left, box.dataset.width)))
show(0, 1)
</script>
`
}

interface Place {
  /** Of the whole, from 0 to 1. */
  readonly left: number
  readonly depth: number
  readonly total: number
}

/** Gives the depth of the deepest. */
function addBoxes (boxes: string[], frame: Frame, { left, depth, total }: Place): number {
  const width = frame.total / total
  const hint = `${frame.name}: ${(width * 100).toFixed(1)} %, by itself ${(frame.self / total * 100).toFixed(1)} %`
  boxes.push(`<div data-left="${left.toFixed(5)}" data-width="${width.toFixed(5)}" title="${escape(hint)}" ` +
    `style="top:${depth * ROW}px;background:${colourOf(frame.name)}">${escape(frame.name)}</div>`)
  let deepest = depth
  let from = left
  for (const callee of [...frame.calls.values()].sort((a, b) => b.total - a.total)) {
    if (callee.total / total >= SHARE_MIN) {
      deepest = Math.max(deepest, addBoxes(boxes, callee, { left: from, depth: depth + 1, total }))
    }
    from += callee.total / total
  }
  return deepest
}

/** Ours stand out from node's and from the engine's own. */
function colourOf (name: string): string {
  if (!name.includes(' ') || name.startsWith('(')) return '#cfd8dc'
  if (name.includes('node:') || name.includes('internal/')) return '#c8e6c9'
  return /\b(?:broker|bridge|intake|spool|uplink|http)\/[\w-]+\.[jt]s/.test(name) ? '#ffab91' : '#ffe082'
}

function escape (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
