// The dashboards as pictures. DASHBOARD_PICTURES names a folder to keep them in; docs/images comes from it.

import assert from 'node:assert/strict'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { TestContext } from 'node:test'
import { chromium, type Browser } from 'playwright-core'
import type { DashboardJson, PlacedPanel } from '../../dashboards/assemble.ts'
import { dashboards } from './monitoring-panels.ts'
import type { Watch } from './monitoring-watch.ts'
import { makeDirectory } from './peers.ts'

const BROWSER = '/usr/bin/chromium'
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync']
const WIDTH = 24 * 44 + 24
const HEIGHT = 1000
const BYTES_MAX = 300_000

const STYLE = `
body { margin: 0; padding: 8px 16px; background: #111217; color: #d8d9da; font: 13px sans-serif; width: ${WIDTH - 32}px }
h1 { font-size: 20px; font-weight: 500; margin: 6px 0 12px }
main { position: relative }
section { position: absolute; background: #181b1f; border: 1px solid #2c3038; border-radius: 3px; box-sizing: border-box; overflow: hidden }
section.row { background: none; border: none; color: #9fa7b3 }
section.row h2 { font-size: 14px; padding: 0 }
h2 { font-size: 13px; font-weight: 500; margin: 0; padding: 6px 8px 2px; white-space: nowrap }
.stat h2 { font-size: 12px }
.number { font-size: 24px; text-align: center; padding-top: 10px; font-weight: 600; white-space: nowrap }
.legend { padding: 0 8px; height: 30px; overflow: hidden; font-size: 11px; line-height: 14px; color: #b0b4bd }
.legend span { margin-right: 10px; white-space: nowrap } .legend span::before { content: '\\2014  '; color: var(--colour); font-weight: 900 }
.heat { width: 100%; height: calc(100% - 28px) }
table { width: 100%; border-spacing: 0; padding: 4px 8px } td, th { text-align: left; padding: 2px 4px; font-size: 12px; border-bottom: 1px solid #2c3038 }
.band { display: flex; padding: 0 8px; font-size: 11px; line-height: 14px } .band b { width: 150px; font-weight: 400 }
.strip { position: relative; flex: 1; background: #23262d; margin: 1px 0 } .strip i { position: absolute; top: 0; bottom: 0; background: #c4162a }
`

export async function drawDashboards (
  t: TestContext, watch: Watch, from: number, to: number, instance: string
): Promise<void> {
  const folder = process.env['DASHBOARD_PICTURES'] ?? await makeDirectory(t)
  const browser = await chromium.launch({ executablePath: BROWSER, args: ARGS })
  t.after(() => browser.close())
  for (const dashboard of dashboards) {
    const page = join(await makeDirectory(t), 'page.html')
    await writeFile(page, await pageOf(dashboard, watch, { from, to, instance }))
    const picture = join(folder, `${dashboard.uid.replace('sluice-', '')}.png`)
    await draw(browser, page, picture, dashboard.panels.length)
    assert.ok((await stat(picture)).size < BYTES_MAX, picture)
  }
}

async function draw (browser: Browser, path: string, picture: string, panels: number): Promise<void> {
  const page = await browser.newPage({ viewport: { width: WIDTH, height: HEIGHT }, offline: true })
  const wrong: string[] = []
  page.on('pageerror', (error) => { wrong.push(String(error)) })
  page.on('console', (message) => { wrong.push(message.text()) })
  await page.goto(pathToFileURL(path).href)
  assert.deepEqual(wrong, [])
  assert.equal(await page.locator('body').getAttribute('data-drawn'), String(panels))
  await page.screenshot({ path: picture })
  await page.close()
}

interface Day {
  readonly from: number
  readonly to: number
  readonly instance: string
}

async function pageOf (dashboard: DashboardJson, watch: Watch, { from, to, instance }: Day): Promise<string> {
  const panels = await Promise.all(dashboard.panels.map(async (panel) => panel.type === 'row'
    ? panel
    : {
        ...panel,
        targets: await Promise.all(panel.targets.map(async (target) => ({
          ...target,
          answer: isNow(panel)
            ? await watch.course(target.expr, to, to, instance)
            : await watch.course(target.expr, from, to, instance)
        })))
      }))
  const plot = dirname(createRequire(import.meta.url).resolve('uplot'))
  const [script, style, drawing] = await Promise.all([
    readFile(join(plot, 'uPlot.iife.min.js'), 'utf8'), readFile(join(plot, 'uPlot.min.css'), 'utf8'),
    readFile(join(import.meta.dirname, 'monitoring-page.js'), 'utf8')
  ])
  const data = JSON.stringify({ title: dashboard.title, panels, from, to }).replaceAll('<', '\\u003c')
  return `<!doctype html><meta charset="utf-8"><title>${dashboard.title}</title><style>${style}${STYLE}</style><body>
<script>${script}</script><script>window.dashboard = ${data}</script><script>${drawing}</script>`
}

const isNow = ({ type }: PlacedPanel): boolean => type === 'stat' || type === 'table'
