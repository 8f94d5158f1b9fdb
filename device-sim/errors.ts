/** The simulator cannot do what it was asked; the message says what to change. */
export class SimulatorError extends Error {
  /**
   * - USAGE        the options are wrong
   * - UNAVAILABLE  the broker or the object store cannot be reached
   */
  readonly code: 'USAGE' | 'UNAVAILABLE'

  constructor (code: SimulatorError['code'], message: string) {
    super(message)
    this.name = 'SimulatorError'
    this.code = code
  }
}
