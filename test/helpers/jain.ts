/** Jain's index: 1 where all got the same, 1/n where one got everything (R. Jain et al., 1984). */
export function jain (amounts: readonly number[]): number {
  const sum = amounts.reduce((total, amount) => total + amount, 0)
  return sum ** 2 / (amounts.length * amounts.reduce((total, amount) => total + amount ** 2, 0))
}
