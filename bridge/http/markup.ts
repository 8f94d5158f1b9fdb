/** HTML that is safe to send: made by `html` alone, which escapes whatever it is given that is not Markup itself. */
export class Markup {
  readonly #html: string

  private constructor (html: string) {
    this.#html = html
  }

  /** Values may stand where text may, and in attributes within double quotes; nowhere else. */
  static html (this: void, parts: TemplateStringsArray, ...values: readonly MarkupValue[]): Markup {
    const joined = parts.reduce((text, part, i) => text + Markup.#render(values[i - 1]) + part)
    return new Markup(joined)
  }

  toString (): string { return this.#html }

  static #render (value: MarkupValue): string {
    if (value === undefined || value === false) return ''
    if (value instanceof Markup) return value.#html
    if (typeof value === 'string' || typeof value === 'number') return escape(String(value))
    return value.map((one) => Markup.#render(one)).join('')
  }
}

export type MarkupValue = string | number | false | undefined | Markup | readonly MarkupValue[]

export const { html } = Markup

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;'
}

function escape (text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '')
}
