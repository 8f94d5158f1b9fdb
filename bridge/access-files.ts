import { readFileSync } from 'node:fs'
import type { Access } from '../broker/identities.ts'
import { parsePasswords, type LineProblem } from '../broker/passwords.ts'
import { parseRules } from '../broker/rules.ts'
import type { Config } from './config/config.ts'
import { ConfigError, type Problem } from './config/problems.ts'

/** The names, passwords and rules that the configuration names files for. Throws one ConfigError with every problem. */
export function readAccess ({ passwordFile, aclFile }: Config['auth']): Access {
  const problems: Problem[] = []
  const named = (path: string, file: string) => ({ line, message }: LineProblem): void => {
    problems.push({ path, message: `line ${line} ${message}`, source: `${file}:${line}` })
  }
  const read = (path: string, file: string): string => {
    try {
      return readFileSync(file, 'utf8')
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException // readFileSync throws nothing else
      problems.push({ path, message: `cannot read ${file} (${code}); ${cureOf(code)}` })
      return ''
    }
  }
  const passwords = passwordFile === undefined ? undefined : parsePasswords(read('auth.passwordFile', passwordFile))
  const rules = aclFile === undefined ? undefined : parseRules(read('auth.aclFile', aclFile))
  passwords?.problems.forEach(named('auth.passwordFile', passwordFile ?? ''))
  rules?.problems.forEach(named('auth.aclFile', aclFile ?? ''))
  if (problems.length > 0) throw new ConfigError(problems)
  return { passwords: passwords?.passwords, rules: rules?.rules }
}

function cureOf (code: string | undefined): string {
  if (code === 'ENOENT') return 'there is no such file; make it with sluice passwd, or check its name'
  return 'let the user that runs Sluice read it'
}
