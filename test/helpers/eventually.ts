import { setTimeout as delay } from 'node:timers/promises'

/** Asks until the answer is neither false, undefined nor null; rejects when the deadline passes first. */
export async function eventually<T> (
  probe: () => T | Promise<T>,
  { timeoutMs = 5000, everyMs = 10, what = 'it' }: { timeoutMs?: number, everyMs?: number, what?: string } = {}
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const answer = await probe()
    if (answer !== undefined && answer !== null && answer !== false) return answer
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${timeoutMs} ms`)
    await delay(everyMs)
  }
}
