// The panels' queries, asked of the real Prometheus.

import assert from 'node:assert/strict'
import type { Status } from '../../bridge/status.ts'
import { assemble, type DashboardJson, type PlacedPanel } from '../../dashboards/assemble.ts'
import { fleet } from '../../dashboards/fleet.ts'
import { slo } from '../../dashboards/slo.ts'
import { uplink } from '../../dashboards/uplink.ts'
import { eventually } from '../helpers/eventually.ts'
import type { Cameras } from './monitoring-cameras.ts'
import { targetSeconds, type Site } from './monitoring-site.ts'
import type { Series, Watch } from './monitoring-watch.ts'

export const dashboards = [fleet, uplink, slo].map(assemble)

export const panelsOf = ({ panels }: DashboardJson): PlacedPanel[] =>
  panels.flatMap((panel) => panel.type === 'row' ? panel.panels : [panel])

/** What a value of a unit can be; a share may leave 0 to 1 where the panel is of what can be overdrawn. */
const limits: Readonly<Record<string, readonly [number, number]>> = {
  bool_yes_no: [0, 1],
  percentunit: [0, 1.5],
  s: [0, 1e10],
  decbytes: [0, 1e15],
  bps: [0, 1e11]
}
const overdrawn = new Set(['Budget left?', 'How much CPU is used?', 'Allowance used?']) // the last for seconds after a change

export async function assertAnswered (watch: Watch, from: number, to: number): Promise<void> {
  const wrong: string[] = []
  for (const { title, targets, fieldConfig } of dashboards.flatMap(panelsOf)) {
    const [low, high] = overdrawn.has(title) ? [-Infinity, Infinity] : limits[fieldConfig.defaults.unit] ?? [0, 1e12]
    for (const { expr } of targets) {
      const series = await watch.course(expr, from, to)
      const values = series.flatMap(({ points }) => points.map(([, value]) => value))
      const unitless = fieldConfig.overrides.length > 0 // another unit for one of its series
      if (values.length === 0) wrong.push(`${title}\n${expr}: no answer in all the day`)
      else if (!unitless && values.some((value) => value < low || value > high)) {
        wrong.push(`${title}\n${expr}: from ${Math.min(...values)} to ${Math.max(...values)}`)
      }
    }
  }
  assert.deepEqual(wrong, [])
  for (const { annotations } of dashboards) {
    for (const { name, target } of annotations.list) {
      assert.notEqual((await watch.course(target.expr, from, to)).length, 0, name)
    }
  }
}

type Level = readonly [title: string, legend: string | undefined, known: (status: Status, cameras: Cameras) => number]

const levels: readonly Level[] = [
  ['How many are connected?', 'connected', (_, { connected }) => connected],
  ['Accepting images?', undefined, ({ accepting }) => accepting ? 0 : 1],
  ['Ledger exact?', undefined, ({ ledger }) => ledger.exact ? 0 : NaN],
  ['Images waiting?', undefined, ({ backlog }) => backlog.count],
  ['Bytes waiting?', undefined, ({ backlog }) => backlog.bytes],
  ['Images failed?', undefined, ({ images }) => images.failed.count],
  ['Where is every image that was acknowledged?', 'acknowledged', ({ ledger }) => ledger.acknowledged],
  ['Where is every image that was acknowledged?', 'uploaded', ({ ledger }) => ledger.uploaded],
  ['How full is the spool?', undefined, ({ spool }) => spool.usedBytes / spool.limitBytes],
  ['How much of the spool is used?', 'limit', ({ spool }) => spool.limitBytes],
  ['Does the disk hold out?', 'size of the volume', ({ spool }) => spool.diskSizeBytes],
  ['How much of the allowance is used?', 'allowance', ({ allowance }) => 8 * (allowance.bytesPerSecond ?? 0)],
  ['How many puts are in flight?', 'limit', ({ uplink }) => uplink.concurrency],
  ['What is promised?', 'within', () => targetSeconds],
  ['What is promised?', 'of the images', () => 0.99]
]

/** Cameras are quiet, nothing waits. Levels now, and what was counted since `from`, against who knows better. */
export async function assertTrue ({ service, cameras }: Site, watch: Watch, from: number): Promise<void> {
  const instance = new URL(service.url).host
  const now = async (title: string, legend?: string) => pick(await watch.ask(exprOf(title, legend), instance), legend)
  for (const [title, legend, known] of levels) {
    await eventually(async () => {
      const truth = known(await service.status(), cameras)
      return Math.abs(await now(title, legend) - truth) <= 1e-6 * Math.abs(truth)
    }, { everyMs: 250, timeoutMs: 15_000, what: `agreement on ${title} ${legend ?? ''}` })
  }
  const { ledger, images } = await service.status()
  assert.ok(images.failed.count > 0 && ledger.uploaded > 500)
  const judged = 'sum(sluice_slo_messages_total{instance=~"$instance"})'
  await eventually(async () => pick(await watch.ask(judged, instance), undefined) === ledger.acknowledged,
    { everyMs: 250, timeoutMs: 15_000, what: 'a verdict on each of the images acknowledged' })
  const states = await watch.ask(exprOf('In which state are the devices?'), instance)
  assert.equal(states.reduce((sum, { points }) => sum + (points[0]?.[1] ?? 0), 0), 20)
  await assertCounted({ watch, from, instance }, [
    ['How many images come in, and what becomes of them?', 'accepted', ledger.acknowledged],
    ['How many images come in, and what becomes of them?', 'refused', cameras.counts.junk],
    ['Why are images refused?', 'not_an_image', cameras.counts.junk],
    ['How do puts end?', 'success', ledger.uploaded],
    ['Does as much go out as comes in?', 'out', 8 * 30_000 * ledger.uploaded],
    ['How many images fail for good?', 'failed', images.failed.count],
    ['Who drops out?', 'socket_error', 10]
  ])
}

type Counted = readonly [title: string, legend: string, known: number]

/** The area below a rate is what was counted, but for its edges. */
async function assertCounted (
  { watch, from, instance }: { watch: Watch, from: number, instance: string }, counted: readonly Counted[]
): Promise<void> {
  for (const [title, legend, known] of counted) {
    const series = await watch.course(exprOf(title, legend), from, Date.now() / 1000, instance)
    const area = pointsOf(series, legend).reduce((sum, [, value]) => sum + value, 0)
    assert.ok(Math.abs(area - known) <= Math.max(0.15 * known, 3), `${title} ${legend}: ${area}, and it was ${known}`)
  }
}

function exprOf (title: string, legend?: string): string {
  const panel = dashboards.flatMap(panelsOf).find((panel) => panel.title === title)
  assert.ok(panel !== undefined, title)
  const target = panel.targets.find(({ legendFormat }) => legendFormat === legend) ?? panel.targets[0]
  return target?.expr ?? assert.fail(title)
}

function pick (series: readonly Series[], legend: string | undefined): number {
  return pointsOf(series, legend)[0]?.[1] ?? NaN
}

/** Of the series whose label says so, or of the only one. */
function pointsOf (series: readonly Series[], legend: string | undefined): Series['points'] {
  const named = series.find(({ labels }) => Object.values(labels).includes(legend ?? ''))
  return (named ?? series[0])?.points ?? []
}
