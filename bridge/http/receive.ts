// POST /api/v1/images, and the same at POST /: an image from a device that speaks HTTP. It goes the way of
// a PUBLISH (intake, then a synced write) under the same memory budget, and 201 says what a PUBACK says.

import type { IncomingMessage } from 'node:http'
import type { Grant } from '../../broker/budget.ts'
import { within } from '../deadline.ts'
import { readBody, type BodyEnd } from './body.ts'
import type { HttpDeps, HttpLimits, HttpOptions } from './deps.ts'
import type { Exchange, Handler } from './exchange.ts'
import { createForm } from './form.ts'
import { completeHead, HOW_TO, readHead, type OfferHead } from './offer-head.ts'
import { problem } from './problem.ts'
import { formatReceipt, withhold } from './receipt.ts'
import type { Reply } from './reply.ts'
import { refuseDevice } from './trust.ts'

type Received =
  | { readonly kind: 'received', readonly head: OfferHead, readonly payload: Buffer }
  /** Undefined where the peer has gone. */
  | { readonly kind: 'refused', readonly reply: Reply | undefined }

export function createReceiver (
  deps: HttpDeps, { token, bodyBytesMax }: Pick<HttpOptions, 'token' | 'bodyBytesMax'>, limits: HttpLimits
): Handler {
  const { spool, intake, budget, isStopping } = deps

  /** First everything that can be said before a byte of the body is read. */
  return async function receive (exchange: Exchange): Promise<Reply | undefined> {
    const { request: { headers }, query } = exchange
    const denied = refuseDevice(exchange.request, token)
    if (denied !== undefined) return denied
    const head = readHead(headers, query, bodyBytesMax)
    if (head.kind === 'refused') return head.reply
    if (isStopping()) return withhold({ reason: 'shutdown', detail: 'the service is shutting down' })
    const { paused } = spool.levels
    return paused === undefined ? await takeBody(exchange, head) : withhold(paused)
  }

  async function takeBody (exchange: Exchange, head: OfferHead): Promise<Reply | undefined> {
    const { request, response, path, gone } = exchange
    const grant = await acquire(head.bytes, gone)
    if (grant === undefined) return gone.aborted ? undefined : busy()
    try {
      if (request.headers.expect !== undefined) response.writeContinue()
      const received = await receiveBody(exchange, head)
      if (received.kind === 'refused') return received.reply
      grant.arrived()
      const { head: { names, lane }, payload } = received
      const outcome = await intake.take({ ...names, payload, topic: path, lane })
      return await formatReceipt(deps, outcome, head.body === 'json' ? undefined : payload)
    } finally {
      grant.release()
    }
  }

  /** Undefined where the peer has gone, or there was no room for too long. */
  async function acquire (bytes: number, gone: AbortSignal): Promise<Grant | undefined> {
    return await within(limits.budgetMsMax, gone, (signal) => budget.acquire(bytes, signal)).catch(() => undefined)
  }

  async function receiveBody ({ request }: Exchange, head: OfferHead): Promise<Received> {
    if (head.body === 'form') return await receiveForm(request, head)
    const payload = Buffer.allocUnsafeSlow(head.bytes)
    let at = 0
    const end = await readBody(request, (piece) => { at += piece.copy(payload, at) }, limits)
    return end.kind === 'whole' ? { kind: 'received', head, payload } : refused(cutShort(end))
  }

  async function receiveForm (request: IncomingMessage, head: OfferHead): Promise<Received> {
    const form = createForm(request.headers['content-type'] ?? '', head.bytes)
    if (form === undefined) return refused(problem('bad_form', 'the content type names no boundary', { hint: HOW_TO }))
    const end = await readBody(request, form.write, limits)
    if (end.kind !== 'whole') return refused(cutShort(end))
    const outcome = await form.end()
    if (outcome.kind === 'fault') return refused(problem(outcome.code, outcome.detail, { hint: HOW_TO }))
    const complete = completeHead(head, outcome)
    return complete.kind === 'refused' ? complete : { kind: 'received', head: complete, payload: outcome.image }
  }
}

function refused (reply: Reply | undefined): Received {
  return { kind: 'refused', reply }
}

function cutShort (end: Exclude<BodyEnd, { kind: 'whole' }>): Reply | undefined {
  return end.kind === 'gone' ? undefined : problem('too_slow', end.detail, { hint: 'Send the image again.' })
}

function busy (): Reply {
  return problem('busy', 'other images take up the memory there is for them', {
    hint: 'Keep the image and send it again, or raise mqtt.memoryBudget.', headers: { 'retry-after': '5' }
  })
}
