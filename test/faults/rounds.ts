/** How often a scenario is played: few times with every change, often in `npm run test:faults`. */
export function rounds ({ fast, long }: { readonly fast: number, readonly long: number }): number {
  return process.env['SLUICE_FAULTS'] === 'long' ? long : fast
}
