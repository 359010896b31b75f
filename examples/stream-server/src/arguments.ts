import { parseArgs } from 'node:util'

/** What the command line says. */
export interface Arguments {
  readonly port: number
  /** The folder of the database and the secrets. */
  readonly data: string
  readonly help: boolean
}

export const usage = `usage: stream-server [--port 8080] [--data .drawbridge]

  --port  the port on 127.0.0.1 (default 8080)
  --data  the folder of the database and the secrets (default .drawbridge)
  --help  prints this`

/**
 * Reads the command line.
 *
 * @throws Error with one sentence that names the option
 */
export function readArguments(args: readonly string[]): Arguments {
  // Not strict: the sentences of `parseArgs` are several, and say what no user wants to know.
  const { tokens } = parseArgs({
    args: [...args],
    options: { port: { type: 'string' }, data: { type: 'string' }, help: { type: 'boolean' } },
    strict: false,
    tokens: true,
  })
  let port = '8080'
  let data = '.drawbridge'
  let help = false
  for (const token of tokens) {
    if (token.kind !== 'option') throw new Error(`it takes options only: see --help`)
    const { name, rawName, value = '' } = token
    if (name === 'port') port = value
    else if (name === 'data') data = value
    else if (name === 'help') help = true
    else throw new Error(`there is no option "${rawName}": see --help`)
  }
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    throw new Error('"--port" must be a number from 1 to 65535')
  }
  if (data === '') throw new Error('"--data" must name a folder')
  return { port: Number(port), data, help }
}
