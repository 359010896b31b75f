import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

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

/** Starts a module of `examples/` in a process of its own; `env` is added to the test's environment. */
export function startExample(
  module: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ExampleProcess {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL(`examples/${module}`, root)), ...args],
    {
      cwd: '/',
      // Node 22 warns that its SQLite is experimental, which is not what these tests are about.
      env: { ...process.env, NODE_NO_WARNINGS: '1', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
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
