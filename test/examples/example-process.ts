import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The environment and the user of an example's process. */
export interface ProcessOptions {
  /** Added to the environment of the test. */
  readonly env?: Readonly<Record<string, string>>
  /** The user it runs as. Default: that of the test. */
  readonly uid?: number
}

/** A built example, running. */
export interface ExampleProcess {
  readonly child: ChildProcess
  /**
   * Resolves with everything that was printed once it contains `text`; rejects when it ended
   * without.
   */
  printed(text: string): Promise<string>
  /** Resolves when it has ended, with everything it said. */
  readonly over: Promise<{
    readonly code: number | null
    readonly out: string
    readonly err: string
  }>
}

const root = new URL('../../', import.meta.url)

/** Starts a module of `examples/` in a process of its own. */
export function startExample(
  module: string,
  args: readonly string[],
  { env = {}, uid }: ProcessOptions = {},
): ExampleProcess {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL(`examples/${module}`, root)), ...args],
    {
      cwd: '/',
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid === undefined ? {} : { uid }),
    },
  )
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  // 'close', for at 'exit' the last of what it printed may still be on its way.
  const over = once(child, 'close').then(([code]) => ({ code: code as number | null, out, err }))
  return {
    child,
    over,
    async printed(text) {
      const ended = over.then(() => {
        throw new Error(`${module} ended without printing "${text}": ${err}`)
      })
      ended.catch(() => undefined)
      while (!out.includes(text)) await Promise.race([once(child.stdout, 'data'), ended])
      return out
    },
  }
}
