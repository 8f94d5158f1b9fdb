import type { Entry } from '../entry.ts'

/** What is answered, as a value: handlers make one, the server writes it. */
export interface Reply {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer
  /** The image that its device may forget once it has this answer. */
  readonly acknowledged?: Entry
  /** Of a refusal, for the log. */
  readonly detail?: string
}

export function json (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: `${JSON.stringify(value, undefined, 2)}\n`
  }
}

export function text (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status, headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...headers }, body
  }
}

export function empty (status: number, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers, body: '' }
}
