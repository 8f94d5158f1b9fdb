// POST /login: a name and its password, or a token, for a token that holds for a while; a browser gets it as a
// cookie. DELETE /login ends it.

import { parseObject } from '../json.ts'
import type { HttpLimits } from './deps.ts'
import { formatCookie, readShown, type Proof } from './credentials.ts'
import type { Exchange, Handler } from './exchange.ts'
import { FORGET, refuseUnknown, type Gate } from './gate.ts'
import { readShortBody } from './json-body.ts'
import { viewLogin } from './login-page.ts'
import type { Logins } from './logins.ts'
import { problem } from './problem.ts'
import { empty, json, type Reply } from './reply.ts'
import { findForged } from './trust.ts'

const BODY_BYTES_MAX = 10_000
const FULL = 'as many are logged in as http.limits.logins allows'
const EXAMPLE = 'Send {"name": ..., "password": ...} or {"token": ...} as JSON.'

export interface LoginHandlers {
  readonly show: Handler
  readonly login: Handler
  readonly logout: Handler
}

export function createLoginHandlers (gate: Gate, logins: Logins, limits: HttpLimits): LoginHandlers {
  async function login (exchange: Exchange): Promise<Reply | undefined> {
    const { request, gone } = exchange
    const forged = findForged(request)
    if (forged !== undefined) return problem('forbidden', forged)
    const body = await readShortBody(request, BODY_BYTES_MAX, limits)
    if (body.kind === 'reply') return body.reply
    const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true
    const shown = body.kind === 'too-long' ? undefined : isForm ? readForm(body.text) : readJson(body.text)
    if (shown === undefined) return problem('bad_json', 'the body names nobody', { hint: EXAMPLE })
    const found = await gate.prove(shown, request, () => gone.aborted)
    if (found.kind === 'unknown') {
      const refused = refuseUnknown(found)
      return isForm ? { ...viewLogin(refused.status, 'That is not right. Try again.'), detail: found.detail } : refused
    }
    const added = logins.add(found)
    if (added === undefined) return problem('crowded', FULL, { hint: 'Show the name and password, or the token, with each request.' })
    const { token, expiresAt } = added
    const cookie = { 'set-cookie': formatCookie(token, Math.max(0, Math.floor((expiresAt - Date.now()) / 1000))) }
    if (isForm) return empty(303, { location: '/', 'cache-control': 'no-store', ...cookie })
    const name = found.kind === 'user' ? found.identity.username : undefined
    return json(200, { token, name, role: gate.roleOf(found), expiresAt: new Date(expiresAt).toISOString() }, cookie)
  }

  function logout ({ request }: Exchange): Reply {
    const forged = findForged(request)
    if (forged !== undefined) return problem('forbidden', forged)
    const shown = readShown(request.headers)
    if (shown !== undefined && shown.kind !== 'password') logins.remove(shown.token)
    return empty(204, { 'cache-control': 'no-store', ...FORGET })
  }

  return {
    show: () => gate.isGuarded ? viewLogin(200) : empty(303, { location: '/', 'cache-control': 'no-store' }),
    login,
    logout
  }
}

function readJson (text: string): Proof | undefined {
  const { name, password, token } = parseObject(text) ?? {}
  return toShown([name, password, token].map((one) => typeof one === 'string' ? one : ''))
}

function readForm (text: string): Proof | undefined {
  const form = new URLSearchParams(text)
  const [name, password] = [form.get('name') ?? '', form.get('password') ?? '']
  return toShown(name === '' ? ['', '', password] : [name, password, ''])
}

function toShown ([username = '', password = '', token = '']: readonly string[]): Proof | undefined {
  if (token !== '') return { kind: 'token', token }
  return username === '' || password === '' ? undefined : { kind: 'password', username, password }
}
