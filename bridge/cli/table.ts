/** Columns as wide as their widest cell, two spaces apart; one with nothing but amounts stands to the right. */
export function formatTable (rows: ReadonlyArray<readonly string[]>): string {
  const columns = Array.from({ length: Math.max(0, ...rows.map((row) => row.length)) }, (_, column) => {
    const cells = rows.map((row) => row[column] ?? '')
    const width = Math.max(...cells.map((cell) => cell.length))
    return { width, isAmount: cells.every((cell) => /^(\d|$)/.test(cell)) }
  })
  return rows
    .map((row) => columns.map(({ width, isAmount }, column) => {
      const cell = row[column] ?? ''
      return isAmount ? cell.padStart(width) : cell.padEnd(width)
    }).join('  ').trimEnd())
    .join('\n')
}
