/** Runs work on the same name one after the other, and on different names side by side. */
export type Lock = <T>(name: string, work: () => Promise<T>) => Promise<T>

export function createLock (): Lock {
  const tails = new Map<string, Promise<unknown>>()
  return async (name, work) => {
    const before = tails.get(name)
    const mine = before === undefined ? work() : before.then(work, work)
    tails.set(name, mine)
    try {
      return await mine
    } finally {
      if (tails.get(name) === mine) tails.delete(name) // nobody queued behind it
    }
  }
}
