// What the schema refuses, in words that say what to write instead.

import * as z from 'zod'

export interface Problem {
  /** Such as `devices[0].count`. */
  readonly path: string
  readonly message: string
}

type Raw = z.core.$ZodRawIssue

/** For zod's own findings; kinds.ts has its own words for a value of the wrong kind. */
export function wordIssue (issue: Raw): string | undefined {
  if (issue.code === 'invalid_value') return want(listChoices(issue.values.map(String)), issue)
  if (issue.code === 'invalid_type') return want(TYPES[issue.expected] ?? issue.expected, issue)
  if (issue.code !== 'unrecognized_keys') return undefined
  return `there is no such setting here, only ${namesOf(issue.inst).join(', ')}`
}

/** What is missing is not wrong: it was never written. */
export function want (what: string, { input }: { readonly input?: unknown }): string {
  return input === undefined ? `is missing: wanted ${what}` : `wanted ${what}`
}

export function problemsOf (issues: readonly z.core.$ZodIssue[]): readonly Problem[] {
  return issues.flatMap((issue) => pathsOf(issue).map((path) => ({ path: formatPath(path), message: issue.message })))
}

/** Where an issue is; of what nobody knows, each by its own name. */
export function pathsOf (issue: z.core.$ZodIssue): ReadonlyArray<readonly PropertyKey[]> {
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path]
}

export function formatPath (path: readonly PropertyKey[]): string {
  return path.map((key, at) => typeof key === 'number' ? `[${key}]` : `${at === 0 ? '' : '.'}${String(key)}`).join('')
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'settings by name'
}

function namesOf (schema: unknown): readonly string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
}

/** `a, b or c`. */
function listChoices (choices: readonly string[]): string {
  const [last = '', ...others] = choices.toReversed()
  return others.length === 0 ? last : `${others.toReversed().join(', ')} or ${last}`
}
