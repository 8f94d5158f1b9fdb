// Puts something around what the service does, from outside: loaded into its process before its own code.

import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { Level } from 'level'

type Batch = (this: Level, operations: unknown[], options: { readonly sync?: boolean }) => Promise<void>

/** Around each batch that is written to a segment; `write` does it, synced or not. */
export function aroundSpoolWrite (around: (write: (sync: boolean) => Promise<void>) => Promise<void>): void {
  // Its type has an overload without arguments, which the spool never calls.
  const database = Level.prototype as unknown as { batch: Batch }
  const { batch } = database
  database.batch = async function (operations, options) {
    const write = async (sync: boolean): Promise<void> => { await batch.call(this, operations, { ...options, sync }) }
    if (/[/]segments[/]\d+$/.test(this.location)) await around(write)
    else await batch.call(this, operations, options)
  }
}

/** Around the two calls of node:fs that take a drained segment off the disk. */
export function aroundFile (
  name: 'rename' | 'rm', around: (paths: readonly string[], call: () => Promise<void>) => Promise<void>
): void {
  const original = fs[name] as (...args: unknown[]) => Promise<void>
  const replaced = async (...args: unknown[]): Promise<void> => {
    await around(args.filter((arg) => typeof arg === 'string'), async () => { await original(...args) })
  }
  Object.assign(fs, { [name]: replaced })
  syncBuiltinESMExports() // or the names imported from node:fs/promises stay what they were
}

type Args<Method> = Method extends (...args: infer A) => unknown ? A : never

/** Calls `before` with the arguments of each call of the method. */
export function before<Part extends object, Name extends keyof Part> (
  prototype: Part, name: Name, before: (...args: Args<Part[Name]>) => void
): void {
  const original = prototype[name] as (...args: unknown[]) => unknown
  const replaced = function (this: Part, ...args: Args<Part[Name]>): unknown {
    before(...args)
    return original.apply(this, args)
  }
  Object.assign(prototype, { [name]: replaced })
}
