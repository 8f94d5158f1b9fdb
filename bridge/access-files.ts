import { readFileSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { Access } from '../broker/identities.ts'
import { parsePasswords, type LineProblem } from '../broker/passwords.ts'
import { splitLists } from '../broker/revoked-serials.ts'
import { parseRules } from '../broker/rules.ts'
import type { TlsKeys } from '../broker/tls-listener.ts'
import type { Config } from './config/config.ts'
import { ConfigError, type Problem } from './config/problems.ts'
import type { Resolved } from './config/read-config.ts'
import { readTokenRules } from './token-files.ts'

/** Names, passwords, keys, roles and rules as the configuration has them. Throws one ConfigError with every problem. */
export function readAccess ({ passwordFile, aclFile, jwt, operators, viewers }: Config['auth']): Access {
  const problems: Problem[] = []
  const named = (path: string, file: string) => ({ line, message }: LineProblem): void => {
    problems.push({ path, message: `line ${line} ${message}`, source: `${file}:${line}` })
  }
  const read = (path: string, file: string): string | undefined => {
    try {
      return readFileSync(file, 'utf8')
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException // readFileSync throws nothing else
      problems.push({ path, message: `cannot read ${file} (${code}); ${cureOf(code)}` })
      return undefined
    }
  }
  const passwords = passwordFile === undefined ? undefined : parsePasswords(read('auth.passwordFile', passwordFile) ?? '')
  const rules = aclFile === undefined ? undefined : parseRules(read('auth.aclFile', aclFile) ?? '')
  passwords?.problems.forEach(named('auth.passwordFile', passwordFile ?? ''))
  rules?.problems.forEach(named('auth.aclFile', aclFile ?? ''))
  const tokens = readTokenRules(jwt, { read, problems })
  if (problems.length > 0) throw new ConfigError(problems)
  const roles = { operators: new Set(operators), viewers: new Set(viewers) }
  return { passwords: passwords?.passwords, rules: rules?.rules, tokens, roles }
}

const SECRET_FILES = [
  'auth.passwordFile', 'auth.jwt.secretFile', 'auth.jwt.jwksFile', 'mqtt.tls.key', 'http.tokenFile', 's3.secretAccessKeyFile'
]

/** Of files with secrets, those that every user of this machine can read, each with what to do, for the log. */
export function describeOpenSecrets (given: Resolved['given']): readonly string[] {
  return SECRET_FILES.flatMap((path) => {
    const file = given.get(path)?.value
    const mode = typeof file === 'string' ? statSync(file, { throwIfNoEntry: false })?.mode ?? 0 : 0
    return (mode & 0o004) === 0 ? [] : [`${path}: every user of this machine can read ${String(file)}; chmod o-r it`]
  })
}

/** As readTlsKeys; undefined where there is no such listener. */
export function readTlsListener (files: Config['mqtt']['tls']) {
  return files === undefined ? undefined : { listen: files.listen, keys: readTlsKeys(files) }
}

/** The PEM files of the TLS listener, proved to go together. Throws a ConfigError. */
export function readTlsKeys ({ cert, key, clientCa, crl }: NonNullable<Config['mqtt']['tls']>): TlsKeys {
  const read = (name: string, file: string): string => {
    try {
      return readFileSync(file, 'utf8')
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException // as above
      throw new ConfigError([{ path: `mqtt.tls.${name}`, message: `cannot read ${file} (${code}); ${cureOf(code)}` }])
    }
  }
  const ca = clientCa === undefined ? undefined : read('clientCa', clientCa)
  // Without one Node takes what the public authorities signed (node:tls, createSecureContext, "ca").
  if (ca !== undefined && !/^-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/m.test(ca)) {
    const message = `${clientCa} holds no certificate; put the root of client certificates into it, in PEM`
    throw new ConfigError([{ path: 'mqtt.tls.clientCa', message }])
  }
  const lists = crl === undefined ? undefined : read('crl', crl)
  if (lists !== undefined && splitLists(lists).length === 0) {
    const message = `${crl} holds no revocation list; make one with: openssl ca -gencrl`
    throw new ConfigError([{ path: 'mqtt.tls.crl', message }])
  }
  const keys = { cert: read('cert', cert), key: read('key', key), clientCa: ca, crl: lists }
  try {
    createSecureContext({
      ...{ cert: keys.cert, key: keys.key },
      ...ca === undefined ? {} : { ca },
      ...lists === undefined ? {} : { crl: splitLists(lists) }
    })
    return keys
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const files = [cert, key, clientCa, crl].filter((file) => file !== undefined).join(', ')
    throw new ConfigError([{
      path: 'mqtt.tls', message: `cannot be spoken with ${files} (${reason}); give a certificate in PEM and the key it was made with`
    }])
  }
}

function cureOf (code: string | undefined): string {
  if (code === 'ENOENT') return 'there is no such file; check its name (sluice passwd makes one of names)'
  return 'let the user that runs Sluice read it'
}
