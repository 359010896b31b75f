/** A caller's mistake in options: every one that was found, each by the name the caller wrote. */
export class OptionsError extends TypeError {
  override name = 'OptionsError'
  readonly code = 'ERR_INVALID_ARG_VALUE'
  /** One sentence for each mistake. */
  readonly mistakes: readonly string[]
  constructor(factory: string, mistakes: readonly string[]) {
    super(`${factory}: ${mistakes.join('; ')}`)
    this.mistakes = mistakes
  }
}

/** Collects the mistakes of one options object, so that all are reported together. */
export interface OptionChecks {
  /** Notes a mistake unless the condition holds. The sentence names the option in double quotes. */
  readonly check: (holds: boolean, sentence: string) => void
  /** Checks an option to be an `https` URL without query and fragment; `http` where it is allowed. */
  readonly url: (name: string, value: unknown, allowInsecureHttp: boolean) => void
  /** Notes every member that is not an option, so that a typing error does not pass for a default. */
  readonly known: (options: object, names: readonly string[]) => void
  /** @throws OptionsError when there was a mistake */
  readonly done: () => void
}

/** Starts the check of the options of one factory. */
export function checkOptions(factory: string): OptionChecks {
  const mistakes: string[] = []
  const check = (holds: boolean, sentence: string): void => {
    if (!holds) mistakes.push(sentence)
  }
  return {
    check,
    known: (options, names) => {
      for (const name of Object.keys(options)) {
        check(names.includes(name), `"${name}" is not an option`)
      }
    },
    url: (name, value, allowInsecureHttp) => {
      const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined
      const secure = url?.protocol === 'https:'
      const insecure = url?.protocol === 'http:'
      if (!url || (!secure && !insecure)) {
        check(false, `"${name}" must be an https URL`)
        return
      }
      check(
        secure || allowInsecureHttp,
        `"${name}" must be an https URL (for a test, write "allowInsecureHttp: true")`,
      )
      check(url.search === '' && url.hash === '', `"${name}" must have no query and no fragment`)
    },
    done: () => {
      if (mistakes.length > 0) throw new OptionsError(factory, mistakes)
    },
  }
}
