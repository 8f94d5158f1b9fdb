// Made once: an abort without a reason makes an exception with a stack, which costs as much as a hash.
const STOPPED = new DOMException('the request was stopped', 'AbortError')

/**
 * Runs one request, and settles as soon as the signal aborts, whatever the client is at then. Whatever
 * is still on its way out afterwards is cut off: a server may answer before it has read the whole body,
 * and the rest of it would be paid for in vain.
 */
export async function attempt<T> (signal: AbortSignal, run: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
  if (signal.aborted) throw STOPPED
  const over = new AbortController()
  let stop = () => {}
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = () => reject(STOPPED)
  })
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([stopped, run(over.signal)])
  } finally {
    signal.removeEventListener('abort', stop)
    over.abort(STOPPED)
  }
}
