/** What commander hands to an action. */
export type Options = Readonly<Record<string, unknown>>

/** JSON where --json was given, else words. */
export function formatAs<Value> (options: Options, value: Value, words: (value: Value) => string): string {
  return options['json'] === true ? JSON.stringify(value, undefined, 2) : words(value)
}
