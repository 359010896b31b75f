import { fork } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import path from 'node:path'
import type { Message, Settings, Told } from './serve.ts'

/** A process that the driver has started. */
export interface Started {
  readonly url: string
  /** Has it do something and resolves with what came of it. */
  ask(act: string, input?: unknown): Promise<unknown>
  /** Ends it and waits until it has ended. */
  stop(): Promise<void>
}

/** Starts a module of this folder in a process of its own; resolves when it serves. */
export async function startProcess(
  module: string,
  settings: Settings,
  hear: (told: Told) => void,
): Promise<Started> {
  const child = fork(path.join(import.meta.dirname, module), {
    env: { ...process.env, SETTINGS: JSON.stringify(settings) },
  })
  const answers = new EventEmitter()
  const ended = new AbortController()
  child.once('exit', () => ended.abort())
  child.on('message', (message: Message) => {
    if ('event' in message) hear(message)
    else answers.emit('ready' in message ? 'ready' : String(message.id), message)
  })
  const answer = async (name: string): Promise<Record<string, unknown>> => {
    const heard = await once(answers, name, { signal: ended.signal }).catch(() => {
      throw new Error(`${path.basename(module)} has ended; it says why above`)
    })
    return heard[0] as Record<string, unknown>
  }
  const { ready } = await answer('ready')
  let asks = 0
  return {
    url: String(ready),
    ask: async (act, input) => {
      child.send({ id: ++asks, act, input })
      const { output, error } = await answer(String(asks))
      if (error !== undefined) throw new Error(String(error))
      return output
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), 3000)
      await exited
      clearTimeout(late)
    },
  }
}
