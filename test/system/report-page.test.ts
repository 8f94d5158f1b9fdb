// The report page in a real browser, with no network, light and dark.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'node:test'
import { chromium } from 'playwright-core'
import { judgeOutcome } from '../../device-sim/report/outcome.ts'
import { formatPage } from '../../device-sim/report/page.ts'
import { parseThreshold, type Threshold } from '../../device-sim/scenario/threshold.ts'
import { startPlainBroker } from '../helpers/plain-broker.ts'
import { simulate } from '../helpers/simulate.ts'
import { makeDirectory, missing } from './peers.ts'

const BROWSER = '/usr/bin/chromium'
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync']

/** How many elements can only be read by scrolling to the side. */
const WIDER = '[document.documentElement, ...document.querySelectorAll("body *")].filter((each) => each.scrollWidth > each.clientWidth && each.clientWidth > 0 && getComputedStyle(each).display !== "inline").length'

/** The height in pixels of the smallest type in a chart. */
const SMALLEST = 'Math.min(...[...document.querySelectorAll("svg text")].map((each) => each.getBoundingClientRect().height))'

test('the report page shows its charts and its phases offline, in light and in dark', { skip: missing('chromium') }, async (t) => {
  const { port } = await startPlainBroker(t)
  const report = await simulate({
    port, limit: undefined, phases: [{ name: 'calm', for: '2s' }, { name: '<burst>', for: '2s', load: 3 }], devices: { count: 5 }
  })
  const thresholds = ['puback_p99<10s', 'acknowledged>1000000'].map(parseThreshold) as Threshold[]
  const path = join(await makeDirectory(t), 'report.html')
  await writeFile(path, formatPage(judgeOutcome(report, undefined, thresholds)))
  const browser = await chromium.launch({ executablePath: BROWSER, args: ARGS })
  t.after(() => browser.close())
  const papers: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    const context = await browser.newContext({ colorScheme, offline: true })
    const page = await context.newPage()
    const [asked, wrong]: [string[], string[]] = [[], []]
    page.on('request', (request) => { asked.push(request.url()) })
    page.on('console', (message) => { wrong.push(message.text()) })
    await page.goto(pathToFileURL(path).href)
    assert.deepEqual(asked, [pathToFileURL(path).href])
    assert.equal(await page.locator('h1').innerText(), 'run: NOT held')
    assert.deepEqual(await page.locator('td code').allInnerTexts(), ['puback_p99<10s', 'acknowledged>1000000'])
    assert.equal(await page.locator('svg polyline').count(), 6)
    assert.deepEqual(await page.locator('svg').first().locator('text.phase').allTextContents(), ['calm', '<burst>'])
    const box = await page.locator('svg polyline').first().boundingBox()
    assert.ok((box?.width ?? 0) > 400, 'the line runs across its chart')
    assert.deepEqual(await page.locator('svg').first().locator('text.time').allTextContents(), ['0 s', '1 s', '2 s', '3 s', '4 s'])
    for (const width of [1280, 700, 390, 1000]) {
      await page.setViewportSize({ width, height: 800 })
      assert.equal(await page.evaluate(WIDER), 0, `something is wider than a window of ${width}`)
      assert.ok(Number(await page.evaluate(SMALLEST)) >= 8, `the type of a chart is too small in a window of ${width}`)
    }
    papers.push(await page.evaluate('getComputedStyle(document.body).backgroundColor'))
    if (process.env['SCREENSHOTS'] !== undefined) {
      await page.screenshot({ path: join(process.env['SCREENSHOTS'], `${colorScheme}.png`), fullPage: true })
    }
    assert.deepEqual(wrong, [])
    await context.close()
  }
  assert.deepEqual(papers, ['rgb(255, 255, 255)', 'rgb(21, 24, 28)'])
})
