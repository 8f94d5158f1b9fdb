import type { IncomingMessage } from 'node:http'
import type { HttpLimits } from './deps.ts'

/** How the reading of a body came to its end. */
export type BodyEnd =
  | { readonly kind: 'whole' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'late', readonly detail: string }

/**
 * Hands every piece of a body to `onPiece` as it comes. Nothing is read before the call, and nothing
 * is kept here: while nobody calls, the bytes wait in the peer's own TCP window.
 */
export function readBody (
  request: IncomingMessage, onPiece: (piece: Buffer) => void, limits: Pick<HttpLimits, 'stallMsMax' | 'bodyMsMax'>
): Promise<BodyEnd> {
  const { stallMsMax, bodyMsMax } = limits
  return new Promise((resolve) => {
    const stall = setTimeout(() => { end({ kind: 'late', detail: `no byte came for ${stallMsMax} ms` }) }, stallMsMax)
    const whole = setTimeout(() => { end({ kind: 'late', detail: `it was not there after ${bodyMsMax} ms` }) }, bodyMsMax)
    const onData = (piece: Buffer): void => {
      stall.refresh()
      onPiece(piece)
    }
    const onEnd = (): void => { end({ kind: 'whole' }) }
    const onClose = (): void => { end({ kind: 'gone' }) }
    const end = (how: BodyEnd): void => {
      clearTimeout(stall)
      clearTimeout(whole)
      request.off('data', onData).off('end', onEnd).off('close', onClose)
      request.pause()
      resolve(how)
    }
    if (request.destroyed) return end({ kind: 'gone' })
    request.on('data', onData).on('end', onEnd).on('close', onClose)
  })
}
