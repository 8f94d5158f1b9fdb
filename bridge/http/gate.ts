// Who may ask for what. The users, tokens and rules are those of the MQTT listeners (broker/identities.ts):
//
//   anonymous   no users                           with users
//   loopback    this machine looks, sends and,     nobody without a name, but for what auth.aclFile grants
//               where no http.token is, orders
//   always      everybody looks and sends          everybody looks and sends
//   never       -                                  nobody without a name
//
// http.token, and the one in the data directory for whoever may read that, are an operator's who may send, too.

import type { IncomingMessage } from 'node:http'
import type { Anonymous } from '../../broker/admission.ts'
import type { Judged } from '../../broker/guesses.ts'
import type { Identities, Identity } from '../../broker/identities.ts'
import { everything, type Permit } from '../../broker/permit.ts'
import type { Role } from '../../broker/roles.ts'
import { isToken } from '../../broker/tokens.ts'
import { COOKIE, readShown, type Proof, type Shown } from './credentials.ts'
import type { Logins } from './logins.ts'
import { problem } from './problem.ts'
import { empty, type Reply } from './reply.ts'
import { findDistant, findForged, isSame, type Caller } from './trust.ts'

/** What a route asks for; of a sender, what it may send is seen once it is known for which device. */
export type Need = 'nothing' | 'sender' | 'viewer' | 'operator'

export type Known =
  | { readonly kind: 'token-holder' }
  | { readonly kind: 'user', readonly identity: Identity }

export type Who = Known | { readonly kind: 'nameless' }

export interface GateDeps {
  readonly identities: Identities
  readonly logins: Logins
}

export interface GateRules {
  readonly anonymous: Anonymous
  /** http.token. */
  readonly token: string | undefined
  /** For commands on this machine. */
  readonly localToken?: string | undefined
}

export type Admitted = { readonly kind: 'admitted', readonly who: Who } | { readonly kind: 'refused', readonly reply: Reply }
export type Recognised = Known | { readonly kind: 'unknown', readonly isCrowded: boolean, readonly detail: string }

const HINT = 'Send "Authorization: Bearer <token>" with http.tokenFile\'s token or one of auth.jwt, or Basic with a name and its password; ' +
  'POST /login gives a token for a password.'
const CHALLENGE = { 'www-authenticate': 'Bearer realm="sluice"' }

export class Gate {
  readonly #deps: GateDeps
  readonly #rules: GateRules

  constructor (deps: GateDeps, rules: GateRules) {
    this.#deps = deps
    this.#rules = rules
  }

  /** False: whoever is on this machine may do everything, and there is nothing to log in with. */
  get isGuarded (): boolean { return this.#deps.identities.haveUsers || this.#rules.token !== undefined }

  permitOf (who: Who): Permit {
    switch (who.kind) {
      case 'token-holder': return everything
      case 'user': return this.#deps.identities.permitOf(who.identity)
      case 'nameless': return this.#deps.identities.nameless
    }
  }

  roleOf (known: Known): Role {
    return known.kind === 'user' ? this.#deps.identities.roleOf(known.identity) : 'operator'
  }

  async admit (request: Caller & Pick<IncomingMessage, 'method'>, need: Need, isGone: () => boolean): Promise<Admitted> {
    if (need === 'nothing') return { kind: 'admitted', who: { kind: 'nameless' } }
    const shown = readShown(request.headers)
    if (shown === undefined) return this.#admitNameless(request, need)
    const found = await this.recognise(shown, request, isGone)
    if (found.kind === 'unknown') {
      // A login that is over, or a token where none counts: as if nothing had been shown.
      const isVain = shown.kind === 'cookie' || !this.isGuarded
      return isVain ? this.#admitNameless(request, need) : { kind: 'refused', reply: refuseUnknown(found) }
    }
    const forged = shown.kind === 'token' || need === 'viewer' ? undefined : findForged(request)
    if (forged !== undefined) return { kind: 'refused', reply: problem('forbidden', forged) }
    return this.#judge(found, need)
  }

  async recognise (shown: Shown, caller: Caller, isGone: () => boolean): Promise<Recognised> {
    if (shown.kind === 'password') return await this.prove(shown, caller, isGone)
    const known = this.#deps.logins.find(shown.token)
    if (known !== undefined) return this.#isStillGood(known) ? known : wrong('the login counts no more')
    return shown.kind === 'cookie' ? wrong('the login is over') : await this.prove(shown, caller, isGone)
  }

  /** The same by what is no login: a login that gave another one would have no end. */
  async prove (shown: Proof, { socket }: Caller, isGone: () => boolean): Promise<Recognised> {
    const { identities } = this.#deps
    const by = { address: socket.remoteAddress ?? '', isGone }
    const judged = shown.kind === 'token' ? await this.#judgeToken(shown.token, by) : 'wrong'
    if (judged === 'right') return { kind: 'token-holder' }
    if (judged === 'crowded') return { kind: 'unknown', isCrowded: true, detail: 'too many wrong tokens came from there' }
    const named = shown.kind === 'password'
      ? { username: shown.username, password: Buffer.from(shown.password) }
      : { username: undefined, password: Buffer.from(shown.token) }
    const verdict = await identities.verify({ ...named, ...by })
    if (verdict.kind === 'known') return { kind: 'user', identity: verdict.identity }
    if (verdict.kind === 'crowded') return { kind: 'unknown', isCrowded: true, detail: verdict.detail }
    return wrong(shown.kind === 'token' && !isToken(shown.token) ? 'the token is not the right one' : verdict.detail)
  }

  /** Whether it is http.token, which a person may have thought of, or the one for commands, which nobody guesses. */
  async #judgeToken (given: string, by: { readonly address: string, readonly isGone: () => boolean }): Promise<Judged> {
    const { token, localToken } = this.#rules
    if (localToken !== undefined && isSame(localToken, given)) return 'right'
    if (token === undefined) return 'wrong'
    if (isToken(given)) return isSame(token, given) ? 'right' : 'wrong' // signed by somebody: no guess
    return await this.#deps.identities.judgeSecret(given, token, by)
  }

  #isStillGood (known: Known): boolean {
    return known.kind !== 'user' || this.#deps.identities.isStillGood(known.identity)
  }

  #judge (who: Known, need: Exclude<Need, 'nothing'>): Admitted {
    const role = this.roleOf(who)
    if (need === 'sender' || role === 'operator' || (need === 'viewer' && role === 'viewer')) return { kind: 'admitted', who }
    const name = who.kind === 'user' ? who.identity.username : 'the token'
    const hint = `Name ${name} in auth.${need === 'viewer' ? 'viewers' : 'operators'}, or ask as somebody who is there.`
    return { kind: 'refused', reply: problem('forbidden', `${name} is a ${role}, and this takes ${article(need)}`, { hint }) }
  }

  #admitNameless (request: Caller & Pick<IncomingMessage, 'method'>, need: Exclude<Need, 'nothing'>): Admitted {
    const why = this.#whyNotNameless(request, need)
    if (why === undefined) return { kind: 'admitted', who: { kind: 'nameless' } }
    if (!this.isGuarded) return { kind: 'refused', reply: forbid(why) }
    const isPage = request.method === 'GET' && need === 'viewer' && request.headers.accept?.includes('text/html') === true
    return { kind: 'refused', reply: isPage ? empty(303, { location: '/login', 'cache-control': 'no-store' }) : unknown(why) }
  }

  /** Undefined: it may. */
  #whyNotNameless (caller: Caller, need: Exclude<Need, 'nothing'>): string | undefined {
    const { anonymous, token } = this.#rules
    const { haveUsers } = this.#deps.identities
    if (anonymous === 'never') return 'the request says not who sends it, and auth.anonymous is never'
    if (need === 'operator' && (haveUsers || token !== undefined)) return 'the request has no bearer token'
    if (need === 'viewer' && haveUsers && anonymous !== 'always') return 'the request says not who sends it'
    const isForAll = anonymous === 'always' && need !== 'operator'
    return (isForAll ? undefined : findDistant(caller)) ?? (need === 'viewer' ? undefined : findForged(caller))
  }
}

function article (need: 'viewer' | 'operator' | 'sender'): string {
  return need === 'operator' ? 'an operator' : `a ${need}`
}

function wrong (detail: string): Recognised {
  return { kind: 'unknown', isCrowded: false, detail }
}

export function refuseUnknown ({ isCrowded, detail }: Extract<Recognised, { kind: 'unknown' }>): Reply {
  return isCrowded ? crowded(detail) : unknown(detail)
}

function unknown (detail: string): Reply {
  return problem('not_authorized', detail, { hint: HINT, headers: CHALLENGE })
}

function crowded (detail: string): Reply {
  return problem('crowded', detail, { hint: 'Try again in a moment.', headers: { 'retry-after': '5' } })
}

function forbid (detail: string): Reply {
  return problem('forbidden', detail, { hint: `Ask on the machine itself, or set http.tokenFile. ${HINT}` })
}

export const FORGET = { 'set-cookie': `${COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax` }
