// Whether who is let in goes together with where is listened.

import { isLoopback } from './address.ts'
import type { Doubt } from './check.ts'
import { hasUsers, type Config } from './config.ts'
import { mqttListeners } from './listeners.ts'

const USERS = ['auth.passwordFile', 'auth.jwt.secretFile', 'auth.jwt.publicKeyFile', 'auth.jwt.jwksFile']

export function checkAccess (config: Config): readonly Doubt[] {
  return [
    ...checkAnonymous(config), ...checkListeners(config), ...checkTls(config), ...checkRoles(config),
    ...checkHttp(config)
  ]
}

function checkAnonymous ({ mqtt, auth }: Config): Doubt[] {
  const hasNames = hasUsers(auth) || mqttListeners(mqtt).some(({ isMutual }) => isMutual)
  return auth.anonymous !== 'never' || hasNames
    ? []
    : [{
        path: 'auth.anonymous',
        reads: ['auth.anonymous', 'mqtt.tls.clientCa', ...USERS],
        message: 'lets no device in; name a file of users in auth.passwordFile, or write loopback or always'
      }]
}

function checkListeners ({ mqtt, auth }: Config): Doubt[] {
  return mqttListeners(mqtt).flatMap(({ path, at, isTls, isMutual }) => {
    if (isLoopback(at.host) || auth.anonymous !== 'loopback' || hasUsers(auth) || isMutual) return []
    const ways = isTls ? 'auth.passwordFile or mqtt.tls.clientCa' : `auth.passwordFile, listen on 127.0.0.1:${at.port}`
    return [{
      path,
      reads: [path, 'auth.anonymous', 'mqtt.tls.clientCa', ...USERS],
      message: `can be reached from other machines, and devices have no identity; name ${isTls ? '' : 'a file of users in '}${ways}, ` +
        'or write auth.anonymous: always if everyone who can reach it may publish'
    }]
  })
}

function checkTls ({ mqtt: { tls, ws } }: Config): Doubt[] {
  const listeners = [['mqtt.tls.listen', tls], ['mqtt.ws.tlsListen', ws.tls]] as const
  const isVain = tls?.crl !== undefined && tls.clientCa === undefined
  const vain = {
    path: 'mqtt.tls.crl',
    reads: ['mqtt.tls.crl', 'mqtt.tls.clientCa'],
    message: 'revokes certificates that nobody is asked for; name the root of client certificates in mqtt.tls.clientCa'
  }
  const missing = (['cert', 'key'] as const).flatMap((name) => {
    const [listen] = listeners.find(([, files]) => files?.[name] === '') ?? []
    return listen === undefined
      ? []
      : [{
          path: `mqtt.tls.${name}`,
          reads: [`mqtt.tls.${name}`, listen],
          message: `names no file, and ${listen} needs one; name a PEM file`
        }]
  })
  return isVain ? [...missing, vain] : missing
}

/** One user has one role, and a role is nothing to somebody who cannot be known. */
function checkRoles ({ auth }: Config): Doubt[] {
  const { operators, viewers } = auth
  const both = viewers.find((name) => operators.includes(name))
  const named = operators.length > 0 ? 'auth.operators' : 'auth.viewers'
  return [
    ...both === undefined
      ? []
      : [{
          path: 'auth.viewers',
          reads: ['auth.viewers', 'auth.operators'],
          message: `and auth.operators both name ${both}; remove it from one of them`
        }],
    ...operators.length + viewers.length === 0 || hasUsers(auth)
      ? []
      : [{
          path: named,
          reads: [named, ...USERS],
          message: 'names users, and there are none; name a file of them in auth.passwordFile or keys for tokens in auth.jwt'
        }]
  ]
}

function checkHttp ({ http, auth }: Config): Doubt[] {
  return isLoopback(http.listen.host) || http.token !== undefined || hasUsers(auth)
    ? []
    : [{
        path: 'http.listen',
        reads: ['http.listen', 'http.token', 'http.tokenFile', ...USERS],
        message: 'can be reached from other machines, and changes are not protected; ' +
      `name a file with a token in http.tokenFile, or listen on 127.0.0.1:${http.listen.port}`
      }]
}
