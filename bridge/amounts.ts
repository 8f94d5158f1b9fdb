// Amounts as people read them, rounded to what one acts on. config/units.ts has the exact ones, which parse back.

/** 1214 is `1,214`. */
export function formatCount (count: number): string {
  return Math.round(count).toLocaleString('en-US')
}

/** `1,214 images`, `1 image`. */
export function formatImages (count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'image' : 'images'}`
}

/** In decimal units, as disks and lines are sold: `304 MB`, `1.2 GB`. */
export function formatBytes (bytes: number): string {
  return scaled(bytes, ['B', 'kB', 'MB', 'GB', 'TB'])
}

/** Bytes per second in, the words of a line out: `37.9 Mbit/s`; `no limit` where it is infinite. */
export function formatLine (bytesPerSecond: number): string {
  if (bytesPerSecond === Infinity) return 'no limit'
  return scaled(bytesPerSecond * 8, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s'])
}

/** Bytes per second, both: `3.1 of 38 Mbit/s`, `64 kbit/s of 38 Mbit/s`. */
export function formatLineOf (bytesPerSecond: number, whole: number): string {
  const [[amount, unit], of] = [formatLine(bytesPerSecond).split(' '), formatLine(whole)]
  return `${of.endsWith(` ${unit}`) ? amount : `${amount} ${unit}`} of ${of}`
}

/** Images per second: `33.3`, `0.4`, `1,064`. */
export function formatPace (perSecond: number): string {
  return perSecond >= 100 ? formatCount(perSecond) : trimmed(perSecond, 1)
}

/** `0.8 s`, `45 s`, `12 min`, `3.2 h`, `6 days`. */
export function formatSpan (seconds: number): string {
  if (seconds < 10) return `${trimmed(seconds, 1)} s`
  if (seconds < 90) return `${Math.round(seconds)} s`
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`
  if (seconds < 36 * 3600) return `${trimmed(seconds / 3600, 1)} h`
  return `${formatCount(seconds / 86_400)} days`
}

/** 0 to 1 in, `53%` out; above nothing and below all of it is never `0%` or `100%`. */
export function formatPercent (share: number): string {
  const percent = Math.round(share * 100)
  if (share > 0 && percent === 0) return '<1%'
  if (share < 1 && percent === 100) return '99%'
  return `${percent}%`
}

function scaled (value: number, units: readonly string[]): string {
  let scale = 0
  // 999.6 kB is 1 MB: the unit is chosen for what will stand there.
  while (scale < units.length - 1 && Number((value / 1000 ** scale).toPrecision(3)) >= 1000) scale++
  const amount = value / 1000 ** scale
  return `${trimmed(amount, amount < 100 && scale > 0 ? 1 : 0)} ${units[scale]}`
}

function trimmed (value: number, digits: number): string {
  return String(Number(value.toFixed(digits)))
}
