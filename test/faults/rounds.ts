/** How often a scenario is played: few times with every change, often in `npm run test:faults`. */
export function rounds ({ fast, long }: { readonly fast: number, readonly long: number }): number {
  return process.env['SLUICE_FAULTS'] === 'long' ? long : fast
}

/** Plays rounds 0 to `count` - 1, two at a time: a start takes one processor. */
export async function sideBySide (count: number, play: (round: number) => Promise<void>): Promise<void> {
  const rounds = Array.from({ length: count }, (_, i) => i).values()
  await Promise.all([1, 2].map(async () => {
    for (const round of rounds) await play(round)
  }))
}
