// The environment of a service that is tampered with: points.ts and mutations.ts run in its process, compiled as it is.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Mutation } from './mutations.ts'
import type { Point } from './points.ts'

export function dyingAt (point: Point, nth: number): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: preload('points.js'), FAULT_POINT: `${point}:${nth}` }
}

export function mutatedBy (mutation: Mutation): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: preload('mutations.js'), FAULT_MUTATION: mutation }
}

function preload (module: string): string {
  return `--import ${pathToFileURL(join(import.meta.dirname, '../../dist/test/faults', module)).href}`
}
