export function table (head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

export function count (value: number): string {
  return Math.round(value).toLocaleString('en')
}

export function ms (value: number, digits: number): string {
  return `${value.toFixed(digits)} ms`
}

export function megabytes (value: number): string {
  return `${count(value)} MB`
}

export function percent (share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

/** Below 10 ms a tenth counts. */
export function latencies (values: readonly number[]): string {
  return `${values.map((value) => value.toFixed(value < 10 ? 1 : 0)).join(' / ')} ms`
}
