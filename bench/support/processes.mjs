import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Starts a module in a process of its own; it sends one message when it is ready. */
export async function start(url, ...args) {
  const child = fork(fileURLToPath(url), args)
  const [ready] = await once(child, 'message')
  return { child, ready, stop: () => end(child) }
}

async function end(child) {
  if (child.exitCode !== null) return
  const exited = once(child, 'exit')
  child.kill()
  await exited
}

/** Machine-wide monotonic milliseconds: comparable between processes. */
export const now = () => Number(process.hrtime.bigint() / 1000n) / 1000
