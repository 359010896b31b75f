// What both processes of the demo do alike: listen, tell the driver what happens, end cleanly.
import { createServer, type RequestListener, type Server } from 'node:http'

/** What a process tells the driver. */
export type Message =
  | { readonly kind: 'ready' }
  /** Somebody sends the agent, which works in the driver. */
  | { readonly kind: 'agent'; readonly sid: string; readonly idToken: string }
  | { readonly kind: 'event'; readonly name: string; readonly at: number; readonly data: object }

/** Tells the driver, where there is one. */
export function tell(message: Message): void {
  process.send?.(message)
}

/** Listens on loopback. */
export function listen(app: RequestListener, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(app)
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

/** An environment variable that has to be there. */
export function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`the environment variable ${name} is missing`)
  return value
}

/**
 * Runs the main function of a process. What it throws ends the process with one sentence; it ends
 * by itself when the driver is gone.
 */
export function run(name: string, main: () => Promise<() => Promise<void>>): void {
  main().then(
    (stop) => {
      const end = (): void => {
        // Connections that are kept alive must not keep the process.
        void stop().finally(() => process.exit(0))
      }
      process.once('SIGTERM', end).once('SIGINT', end)
      process.once('disconnect', end)
    },
    (error: unknown) => {
      const { code, message } = error as NodeJS.ErrnoException
      const sentence = code === 'EADDRINUSE' ? 'its port is in use: end the program there' : message
      console.error(`${name} cannot start: ${sentence}`)
      process.exit(1)
    },
  )
}
