import { spawn } from 'node:child_process'

const running = new Set()
const afterwards = []

/** Calls `work` when the process is told to stop, after everything it runs was ended. */
export const onStop = (work) => void afterwards.push(work)

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    for (const child of running) end(child)
    for (const work of afterwards) work()
    process.exit(1)
  })
}

/** Ends a child and what it started. */
function end({ pid }) {
  if (pid !== undefined) process.kill(-pid, 'SIGTERM')
}

/**
 * Runs a shell command to its end.
 *
 * @returns Its exit code and everything it printed
 */
export function run(command, { cwd, env = {}, timeoutMs = 300_000 } = {}) {
  return new Promise((resolve) => {
    const child = spawn('bash', ['-c', command], {
      cwd,
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    running.add(child)
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    const timer = setTimeout(() => {
      output += `\ngiven up after ${timeoutMs / 1000} s`
      end(child)
    }, timeoutMs)
    child.on('error', (error) => (output += error.message))
    child.on('close', (code) => {
      clearTimeout(timer)
      running.delete(child)
      resolve({ code: code ?? 1, output })
    })
  })
}
