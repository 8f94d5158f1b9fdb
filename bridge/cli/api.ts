// The commands' way to a running service: its HTTP API, at a URL, with a token where one is set.

import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { isLoopback } from '../config/address.ts'
import { readConfig } from '../config/read-config.ts'
import { localTokenFile } from '../local-token.ts'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import { findConfigFile } from './flags.ts'
import type { Options } from './output.ts'
import type { Shell } from './shell.ts'

export interface Api {
  /** Answers the JSON of a 2xx, undefined where there is none. Throws a CommandError for everything else. */
  ask (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<unknown>
}

const TIMEOUT_MS = 15_000

export function addApi (command: Command): Command {
  return command
    .option('--url <url>', 'where the service answers', 'http://127.0.0.1:8080')
    .option('--token-file <file>', 'a file with the token (else SLUICE_HTTP_TOKEN or SLUICE_HTTP_TOKEN_FILE; on this machine the one in the data directory)')
    .option('--json', 'the answer as JSON')
}

export function createApi (options: Options, { env }: Shell): Api {
  const base = readUrl(String(options['url']))
  const token = readToken(options['tokenFile'], env) ?? readLocalToken(base, env)
  return {
    async ask (method, path, body) {
      const sent = { method, body: body === undefined ? null : JSON.stringify(body) }
      const response = await send(new URL(path, base), sent, token)
      const answer = await readBody(response, base)
      if (!response.ok) throw explain(response.status, answer, base)
      return answer
    }
  }
}

function readUrl (text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new CommandError(EXIT.usage, `--url ${text} is not a URL; write it like http://127.0.0.1:8080`)
}

function readToken (file: unknown, env: Shell['env']): string | undefined {
  if (typeof file !== 'string' && env['SLUICE_HTTP_TOKEN'] !== undefined) return env['SLUICE_HTTP_TOKEN']
  const named = typeof file === 'string' ? file : env['SLUICE_HTTP_TOKEN_FILE']
  if (named === undefined || named === '') return undefined
  try {
    return readFileSync(named, 'utf8').trim()
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException // readFileSync throws nothing else
    throw new CommandError(EXIT.usage, `the token file ${named} cannot be read (${code}); check its name and its rights`)
  }
}

/**
 * The token that a service on this machine keeps in its data directory, where we may read that; undefined where there
 * is none, or where it would be shown to another machine.
 */
function readLocalToken ({ hostname }: URL, env: Shell['env']): string | undefined {
  if (!isLoopback(hostname.replace(/^\[|\]$/g, ''))) return undefined
  try {
    return readFileSync(localTokenFile(findDataDir(env)), 'utf8').trim()
  } catch {
    return undefined // the service says whether it needs one
  }
}

function findDataDir (env: Shell['env']): string {
  try {
    return readConfig({ env, file: findConfigFile() }).dataDir
  } catch {
    return env['SLUICE_DATA_DIR'] ?? './data' // what is wrong with the configuration is not our business
  }
}

async function send (
  url: URL, request: { readonly method: string, readonly body: string | null }, token: string | undefined
): Promise<Response> {
  try {
    return await fetch(url, {
      ...request,
      headers: {
        ...request.body === null ? {} : { 'content-type': 'application/json' },
        ...token === undefined ? {} : { authorization: `Bearer ${token}` }
      },
      signal: AbortSignal.timeout(TIMEOUT_MS)
    })
  } catch (cause) {
    throw new CommandError(EXIT.unavailable,
      `no service answers at ${url.origin} (${reasonOf(cause)}); start it with "sluice serve", or name another with --url`)
  }
}

// fetch hides what happened in its cause, and with several addresses in an AggregateError there.
function reasonOf (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer in ${TIMEOUT_MS / 1000} s`
  const cause = error.cause instanceof AggregateError ? error.cause.errors[0] as unknown : error.cause
  return cause instanceof Error ? cause.message : error.message
}

async function readBody (response: Response, base: URL): Promise<unknown> {
  const text = await response.text()
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw new CommandError(EXIT.unavailable,
      `something else than Sluice answers at ${base.origin} (${response.status}); name the service with --url`)
  }
}

/** Problems come as RFC 9457 has them, with a hint of ours. */
function explain (status: number, body: unknown, base: URL): CommandError {
  const { title, detail, hint } = (body ?? {}) as { title?: string, detail?: string, hint?: string }
  const sentence = [detail ?? title, hint].filter((part) => part !== undefined).map(asClause).join('; ')
  return new CommandError(exitOf(status), sentence === '' ? `${base.origin} answers ${status}` : sentence)
}

/** Parts of one message begin small and end without a full stop, but for what is written in capitals. */
function asClause (part: string): string {
  const first = /^[A-Z](?![A-Z])/.test(part) ? part.charAt(0).toLowerCase() : part.charAt(0)
  return (first + part.slice(1)).replace(/\.$/, '')
}

function exitOf (status: number): ExitCode {
  if (status === 401 || status === 403) return EXIT.permission
  return status < 500 ? EXIT.usage : EXIT.unavailable
}
