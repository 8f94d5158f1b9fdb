/** Exponential with full jitter, so that devices cut off together do not come back together. */
export function backoffMs (
  attempts: number, { firstMs, maxMs }: { readonly firstMs: number, readonly maxMs: number },
  random: () => number = Math.random
): number {
  return random() * Math.min(maxMs, firstMs * 2 ** attempts)
}
