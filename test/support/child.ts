import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { freePort } from './free-port.ts'

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
  const one = await freePort()
  for (;;) {
    const two = await freePort()
    if (two !== one) return [one, two]
  }
}
