import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

/** Starts a module of this folder in a process of its own and waits until it says "ready". */
export async function startChild(name: string, ...args: string[]): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL(name, import.meta.url)), args, { execArgv: [] })
  for (;;) {
    const [message] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => {
        throw new Error(`${name} ended before it was ready`)
      }),
    ])) as unknown[]
    if (message === 'ready') return child
  }
}

/** Resolves when the process has ended, however it did. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

/** Ends a process that a test started. */
export async function end(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await ended(child)
}

/** Two ports on loopback that nothing listens on. */
export async function freePorts(): Promise<readonly [number, number]> {
  // Both are open at a time, or the second could be the first once more.
  const servers = [createServer(), createServer()] as const
  for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening')
  const [one, two] = servers.map((server) => (server.address() as AddressInfo).port)
  for (const server of servers) await once(server.close(), 'close')
  return [one ?? 0, two ?? 0]
}
