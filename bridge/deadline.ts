/**
 * Runs `work` with a signal that aborts when `signal` does, or after `ms` with a TimeoutError as its reason.
 *
 * AbortSignal.any with an AbortSignal.timeout does not do that: in Node 20 nothing holds the timeout, and once
 * it is collected the two never abort.
 */
export async function within<T> (
  ms: number, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>
): Promise<T> {
  const either = new AbortController()
  const follow = (): void => { either.abort(signal.reason) }
  const timer = setTimeout(() => { either.abort(new DOMException(`not done within ${ms} ms`, 'TimeoutError')) }, ms)
  if (signal.aborted) follow()
  else signal.addEventListener('abort', follow)
  try {
    return await work(either.signal)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', follow)
  }
}
