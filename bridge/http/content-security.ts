import { createHash } from 'node:crypto'

/** A text that a page may run or be styled by, as a Content-Security-Policy names it. */
export function hashSource (text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
