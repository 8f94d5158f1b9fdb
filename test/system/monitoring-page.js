/* global uPlot, document */
// Draws one dashboard in a browser from `window.dashboard`: the panels as they are generated, with the answers of
// Prometheus beside each query. No Grafana, but the same places, colours, limits and words.

const { title, panels, from, to } = window.dashboard
const COLUMN = 44
const LINE = 26
const palette = ['#56a64b', '#3274d9', '#e0b400', '#a352cc', '#ff780a', '#14a098', '#c4162a', '#8f8f8f', '#705da0', '#6d1f62']
const colours = { green: '#37872d', orange: '#e5860b', red: '#c4162a', blue: '#1f60c4', 'dark-purple': '#8a3fb8' }

const scaled = (value, steps, base) => {
  let n = 0
  while (n < steps.length - 1 && Math.abs(value) >= base) { value /= base; n++ }
  return `${Math.abs(value) >= 100 || Number.isInteger(value) ? Math.round(value) : value.toPrecision(2)} ${steps[n]}`.trim()
}
const formats = {
  percentunit: (value) => `${Math.round(value * 1000) / 10} %`,
  decbytes: (value) => scaled(value, ['B', 'kB', 'MB', 'GB', 'TB'], 1000),
  bps: (value) => scaled(value, ['b/s', 'kb/s', 'Mb/s', 'Gb/s'], 1000),
  short: (value) => scaled(value, ['', 'k', 'M'], 1000),
  bool_yes_no: (value) => value === 0 ? 'no' : 'yes',
  s (value) {
    if (value === 0) return '0 s'
    if (value < 1) return `${Number((value * 1000).toPrecision(2))} ms`
    if (value < 90) return `${Number(value.toPrecision(2))} s`
    if (value < 5400) return `${Math.round(value / 60)} min`
    return value < 172800 ? `${Math.round(value / 3600)} h` : `${Math.round(value / 86400)} d`
  }
}
const formatOf = (unit) => formats[unit] ?? ((value) => `${formats.short(value)} ${unit.replace('suffix:', '')}`)

const named = (legend, labels) => legend.replace(/\{\{(\w+)\}\}/g, (_, label) => labels[label] ?? '')
const add = (parent, tag, className, text = '') => {
  const element = document.createElement(tag)
  element.className = className
  element.textContent = text
  parent.append(element)
  return element
}
const seriesOf = ({ targets }) => targets.flatMap(({ legendFormat, answer }) =>
  answer.map(({ labels, points }) => ({ name: named(legendFormat, labels), legend: legendFormat, labels, points })))
const overrideOf = (panel, name, id) => panel.fieldConfig.overrides
  .find(({ matcher }) => matcher.options === name)?.properties.find((property) => property.id === id)?.value

const draw = {
  stat (panel, box) {
    const { unit, thresholds, mappings, noValue } = panel.fieldConfig.defaults
    const shown = seriesOf(panel).map((series) => ({ ...series, value: series.points.at(-1)?.[1] }))
      .filter(({ value }, _, all) => all.length < 3 || value > 0) // of many flags, those that are set
    const words = mappings[0]?.options ?? {}
    const texts = shown.map(({ name, legend, value }) => words[value]?.text ?? formatOf(overrideOf(panel, legend, 'unit') ?? unit)(value))
    const first = shown[0]?.value
    const step = thresholds.steps.filter(({ value }) => value === null || first >= value).at(-1)
    box.style.background = colours[words[first]?.color ?? step?.color] ?? '#444'
    if (first === undefined) box.style.background = '#4a4d55'
    add(box, 'div', 'number', texts.join(' in ') || (words[0]?.text ?? noValue))
  },
  timeseries (panel, box) {
    const { unit, custom, thresholds } = panel.fieldConfig.defaults
    const isStacked = custom.stacking.mode === 'normal'
    const times = Array.from({ length: Math.floor(to - from) }, (_, n) => Math.floor(from) + n)
    const all = seriesOf(panel).filter(({ points }) => points.some(([, value]) => value !== 0)).slice(0, 9)
    let base = times.map(() => 0)
    const lines = all.map(({ name, legend, points }, n) => {
      const at = new Map(points.map(([time, value]) => [Math.floor(time), value]))
      const special = overrideOf(panel, legend, 'color')?.fixedColor
      const values = times.map((time) => at.get(time) ?? null)
      const isOnStack = isStacked && special === undefined
      const raised = isOnStack ? values.map((value, i) => base[i] + (value ?? 0)) : values
      if (isOnStack) base = raised
      return { name, values: raised, isOnStack, colour: colours[special] ?? special ?? palette[n], dash: overrideOf(panel, legend, 'custom.lineStyle')?.dash }
    })
    // A stack is drawn from the top, so that each area covers what is not its own.
    const stack = lines.filter(({ isOnStack }) => isOnStack).toReversed()
    const drawn = [...stack, ...lines.filter(({ isOnStack }) => !isOnStack)]
    const limits = (thresholds?.steps ?? []).filter(({ value }) => value !== null)
    const chart = add(box, 'div', 'chart')
    const { width } = chart.getBoundingClientRect()
    const grid = { stroke: '#8883', width: 1 }
    const axis = { stroke: '#9a9ea8', font: '11px sans-serif', grid, ticks: { show: false } }
    const start = Math.floor(from)
    const atLeast = Math.max(panel.fieldConfig.defaults.max ?? 0, limits[0]?.value ?? 0)
    // eslint-disable-next-line no-new, new-cap
    new uPlot({
      width,
      height: panel.gridPos.h * LINE - 62,
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false },
        y: { range: (_, __, max) => [0, Math.max(atLeast, (max ?? 0) * 1.05) || 1] }
      },
      axes: [
        { ...axis, size: 22, values: (_, ticks) => ticks.map((tick) => `${Math.floor((tick - start) / 60)}:${String(Math.round(tick - start) % 60).padStart(2, '0')}`) },
        { ...axis, size: 58, values: (_, ticks) => ticks.map((tick) => formatOf(unit)(tick)) }
      ],
      series: [{}, ...drawn.map(({ name, colour, dash, isOnStack }) => ({
        label: name, stroke: colour, width: dash === undefined ? 1.5 : 2, ...(dash === undefined ? {} : { dash }), ...(isOnStack ? { fill: `${colour}99` } : {}), points: { show: false }
      }))],
      hooks: {
        draw: [({ ctx, valToPos, bbox }) => {
          for (const { value, color } of limits) {
            const y = valToPos(value, 'y', true)
            if (y < bbox.top) continue
            ctx.strokeStyle = colours[color]
            ctx.setLineDash([6, 6])
            ctx.beginPath()
            ctx.moveTo(bbox.left, y)
            ctx.lineTo(bbox.left + bbox.width, y)
            ctx.stroke()
            ctx.setLineDash([])
          }
        }]
      }
    }, [times, ...drawn.map(({ values }) => values)], chart)
    const legend = add(box, 'div', 'legend')
    for (const { name, colour } of lines) add(legend, 'span', '', name).style.setProperty('--colour', colour)
    if (lines.length === 0) add(legend, 'i', '', 'nothing, all the time')
  },
  heatmap (panel, box) {
    const boundOf = ({ labels }) => Number(labels.le.replace('+Inf', 'Infinity'))
    const rows = seriesOf(panel).toSorted((a, b) => boundOf(a) - boundOf(b))
    const canvas = add(box, 'canvas', 'heat')
    const { width, height } = canvas.getBoundingClientRect()
    Object.assign(canvas, { width, height })
    const context = canvas.getContext('2d')
    // Buckets hold what is in those below too.
    const below = (n, i) => rows[n - 1]?.points[i]?.[1] ?? 0
    const cells = rows.map(({ points }, n) => points.map(([time, value], i) => [time, Math.max(0, value - below(n, i))]))
    const largest = Math.max(...cells.flat().map(([, value]) => value), 1e-9)
    const [left, step] = [58, (height - 20) / rows.length]
    const second = (width - left) / (to - from)
    context.font = '11px sans-serif'
    cells.forEach((row, n) => {
      const y = height - 20 - (n + 1) * step
      for (const [time, value] of row) {
        if (value <= 0) continue
        context.fillStyle = `rgb(255 ${Math.round(170 - 90 * Math.sqrt(value / largest))} 60 / ${0.15 + 0.85 * Math.sqrt(value / largest)})`
        context.fillRect(left + (time - from) * second, y, Math.ceil(second), step - 1)
      }
      context.fillStyle = '#9a9ea8'
      const bound = boundOf(rows[n])
      const isNamed = n % Math.ceil(rows.length / 8) === 0 && Number.isFinite(bound)
      if (isNamed) context.fillText(formatOf(panel.options.yAxis.unit)(bound), 4, y + step / 2 + 4)
    })
  },
  table (panel, box) {
    const names = Object.entries(panel.transformations[1].options.renameByName)
    const body = add(box, 'table', '')
    const head = add(body, 'tr', '')
    for (const [, name] of names) add(head, 'th', '', name)
    const rows = seriesOf(panel).map(({ labels, points }) => ({ ...labels, Value: points.at(-1)?.[1] }))
      .filter(({ Value }) => Value !== undefined)
    for (const row of rows.toSorted((a, b) => b.Value - a.Value).slice(0, 8)) {
      const line = add(body, 'tr', '')
      for (const [label] of names) add(line, 'td', '', label === 'Value' ? String(Math.round(row.Value)) : row[label])
    }
  },
  'state-timeline' (panel, box) {
    for (const { name, points } of seriesOf(panel).toSorted((a, b) => a.points[0][0] - b.points[0][0])) {
      const line = add(box, 'div', 'band')
      add(line, 'b', '', name.replace('Sluice', ''))
      const strip = add(line, 'div', 'strip')
      for (const [time] of points) {
        const mark = add(strip, 'i', '')
        mark.style.left = `${(time - from) / (to - from) * 100}%`
        mark.style.width = `${1.2 / (to - from) * 100}%`
      }
    }
  }
}

add(document.body, 'h1', '', title)
const board = add(document.body, 'main', '')
for (const panel of panels) {
  const { x, y, w, h } = panel.gridPos
  const box = add(board, 'section', panel.type, '')
  Object.assign(box.style, { left: `${x * COLUMN}px`, top: `${y * LINE}px`, width: `${w * COLUMN - 8}px`, height: `${h * LINE - 8}px` })
  add(box, 'h2', '', panel.title)
  draw[panel.type]?.(panel, box)
}
board.style.height = `${Math.max(...panels.map(({ gridPos: { y, h } }) => y + h)) * LINE}px`
document.body.dataset.drawn = String(panels.length)
