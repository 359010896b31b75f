/** A request as a `curl` line says it. */
export interface CurlRequest {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** The steps that a text offers, `curl` lines all, in their order. */
export const curlLines = (text: string): readonly string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('curl '))

/**
 * Reads a `curl` line as a shell and curl would: quotes, variables, `-X`, `-H`, `-d`. What it does
 * not know is an error, so that no line passes for something it is not.
 */
export function readCurl(line: string, variables: Readonly<Record<string, string>>): CurlRequest {
  const [, ...args] = words(line, variables)
  const headers: Record<string, string> = {}
  let url: string | undefined
  let method: string | undefined
  let body: string | undefined
  while (args.length > 0) {
    const arg = args.shift() ?? ''
    if (arg === '-s') continue
    if (arg === '-w') args.shift()
    else if (arg === '-X') method = args.shift()
    else if (arg === '-d') body = args.shift()
    else if (arg === '-H') {
      const [name = '', value = ''] = (args.shift() ?? '').split(/: (.*)/, 2)
      headers[name] = value
    } else if (arg.startsWith('http') && url === undefined) url = arg
    else throw new Error(`not read: ${arg}`)
  }
  if (url === undefined) throw new Error(`no URL: ${line}`)
  return {
    url,
    headers,
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    ...(body === undefined ? {} : { body }),
  }
}

/** Splits a line into words as a POSIX shell does, for the quoting that the examples use. */
function words(line: string, variables: Readonly<Record<string, string>>): string[] {
  const replace = (text: string): string =>
    text.replace(/\$(\w+)/g, (_, name: string) => {
      const value = variables[name]
      if (value === undefined) throw new Error(`$${name} is not set`)
      return value
    })
  return [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"|([^'"]+)/g, (_, single, double, bare) =>
      single === undefined ? replace((double ?? bare) as string) : (single as string),
    ),
  )
}
