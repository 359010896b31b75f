/** A text that no log, error or JSON shows. `reveal()` gives it to the one place that needs it. */
export class Secret {
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  /** The text. */
  reveal(): string {
    return this.#text
  }
  /** What a log sees: `[secret]`. */
  toString(): string {
    return '[secret]'
  }
  /** What JSON gets: `[secret]`. */
  toJSON(): string {
    return '[secret]'
  }
  static {
    // `console.log` of an object that holds one prints what this returns.
    Object.defineProperty(this.prototype, Symbol.for('nodejs.util.inspect.custom'), {
      value: () => '[secret]',
    })
  }
}
