/** The simulator cannot do what it was asked; the message says what to change. */
export class SimulatorError extends Error {
  /**
   * - USAGE        what was said on the command line is wrong
   * - CONFIG       what a scenario file says is wrong
   * - UNAVAILABLE  the broker or the object store cannot be reached
   * - FAULT        a part of the simulator itself failed
   */
  readonly code: 'USAGE' | 'CONFIG' | 'UNAVAILABLE' | 'FAULT'

  constructor (code: SimulatorError['code'], message: string) {
    super(message)
    this.name = 'SimulatorError'
    this.code = code
  }
}
