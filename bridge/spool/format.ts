import { join } from 'node:path'
import { SpoolOpenError } from './errors.ts'

/** The number of the layout that this version reads and writes. There has been no other. */
export const FORMAT = 1

/** Throws SpoolOpenError where `text`, the content of the spool's FORMAT, does not name the layout of this version. */
export function checkFormatText (directory: string, text: string): void {
  const file = join(directory, 'FORMAT')
  if (!/^[1-9]\d{0,8}\s*$/.test(text)) {
    const found = text.trim() === '' ? 'is empty' : `says ${JSON.stringify(text.slice(0, 40))}`
    throw new SpoolOpenError('unreadable_format', `${file} ${found} where the number of a format should be, and without ` +
      `it nothing in the spool is touched: put back the file of a backup, write ${FORMAT} into it if this version made ` +
      'the spool, or set spool.dir to an empty directory')
  }
  if (Number(text) === FORMAT) return
  throw new SpoolOpenError('newer_format', `the spool was made with format ${text.trim()}, this version reads ` +
    `format ${FORMAT}: start the version that made it, or set spool.dir to an empty directory`)
}
