import type { PauseReason } from '../events.ts'

/** A refusal: the spool declines custody for now, and the device keeps its image. */
export class SpoolPaused extends Error {
  readonly code: PauseReason

  constructor (code: PauseReason, detail: string) {
    super(detail)
    this.name = 'SpoolPaused'
    this.code = code
  }
}

/** The reason of a failure where the bytes on disk are not those that were acknowledged. */
export const CORRUPT = 'corrupt'

/** The record of an entry is not what was written: it will never be readable again. */
export class EntryCorrupt extends Error {
  readonly code = CORRUPT

  constructor (sequence: number, detail: string) {
    super(`entry ${sequence} is damaged on disk: ${detail}`)
    this.name = 'EntryCorrupt'
  }
}

/** The index is not what was written; everything in it that matters can be read from the segments. */
export class IndexDamaged extends Error {
  constructor (detail: string) {
    super(detail)
    this.name = 'IndexDamaged'
  }
}

export type SpoolOpenCode = 'not_creatable' | 'not_writable' | 'newer_format' | 'unreadable_format' | 'in_use' | 'io'

/** The spool cannot be opened; the message says what to do. */
export class SpoolOpenError extends Error {
  readonly code: SpoolOpenCode

  constructor (code: SpoolOpenCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'SpoolOpenError'
    this.code = code
  }
}
