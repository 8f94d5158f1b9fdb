export interface Alert {
  /** In CamelCase, Sluice first; docs/runbooks has a page of that name. */
  readonly name: string
  readonly severity: 'critical' | 'warning'
  readonly expr: string
  /** Minutes for which it has to hold. */
  readonly minutes?: number
  /** What is wrong, in one sentence that is always the same. */
  readonly summary: string
  /** The same with the numbers of the moment, and what it means. */
  readonly description: string
}
