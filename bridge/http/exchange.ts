import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Need, Who } from './gate.ts'
import type { Reply } from './reply.ts'

/** One request on its way to a reply. */
export interface Exchange {
  readonly request: IncomingMessage
  /** Handlers return what is to be answered; this is for the 100 that may come before. */
  readonly response: ServerResponse
  /** As it was asked for, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** What stands for `{id}` in the route, decoded; empty in a route without it. */
  readonly id: string
  /** Who asks, and was let in. */
  readonly who: Who
  /** Aborts when the peer goes away. */
  readonly gone: AbortSignal
}

/** Undefined where there is nobody left to answer. */
export type Handler = (exchange: Exchange) => Reply | undefined | Promise<Reply | undefined>

/** What answers, and for whom. */
export interface Guarded {
  readonly need: Need
  readonly handler: Handler
}

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

export interface Route {
  /** A path with `{id}` for one segment: the whole set of values of the metrics' label `route`. */
  readonly path: string
  readonly methods: { readonly [method in Method]?: Guarded }
}
