/**
 * The header fields of a message of `node:http`, as `Headers`. Most requests are asked for two or
 * three of them by name: those are looked up where they are, and the list of the platform is made
 * for whoever does more.
 */
export class IncomingHeaders implements Headers {
  readonly #raw: readonly string[]
  #list: Headers | undefined

  /** @param rawHeaders Names and values in turn */
  constructor(rawHeaders: readonly string[]) {
    this.#raw = rawHeaders
  }

  get(name: string): string | null {
    return this.#list ? this.#list.get(name) : lookUp(this.#raw, name)
  }
  has(name: string): boolean {
    return this.get(name) !== null
  }
  getSetCookie(): string[] {
    return this.#complete().getSetCookie()
  }
  append(name: string, value: string): void {
    this.#complete().append(name, value)
  }
  set(name: string, value: string): void {
    this.#complete().set(name, value)
  }
  delete(name: string): void {
    this.#complete().delete(name)
  }
  forEach(each: (value: string, name: string, self: Headers) => void, self?: unknown): void {
    for (const [name, value] of this) each.call(self, value, name, this)
  }
  entries(): ReturnType<Headers['entries']> {
    return this.#complete().entries()
  }
  keys(): ReturnType<Headers['keys']> {
    return this.#complete().keys()
  }
  values(): ReturnType<Headers['values']> {
    return this.#complete().values()
  }
  [Symbol.iterator](): ReturnType<Headers['entries']> {
    return this.entries()
  }

  #complete(): Headers {
    if (this.#list) return this.#list
    const list = new Headers()
    for (let index = 0; index < this.#raw.length; index += 2) {
      const name = this.#raw[index] ?? ''
      // What HTTP/2 writes as if it were a field is none.
      if (!name.startsWith(':')) list.append(name, this.#raw[index + 1] ?? '')
    }
    this.#list = list
    return list
  }
}
Object.setPrototypeOf(IncomingHeaders.prototype, Headers.prototype)

/** As the platform does it: whatever the case, and several values as one. */
function lookUp(raw: readonly string[], name: string): string | null {
  const wanted = name.toLowerCase()
  let found: string | null = null
  for (let index = 0; index < raw.length; index += 2) {
    const field = raw[index] ?? ''
    if (field.length !== wanted.length || field.toLowerCase() !== wanted) continue
    const value = raw[index + 1] ?? ''
    found = found === null ? value : `${found}, ${value}`
  }
  return found
}
