import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** One process of a scenario, without the others. */
export interface ScenarioProcess {
  readonly url: string
  /** Has it do something. */
  ask(act: string, input: unknown): Promise<void>
  stop(): Promise<void>
}

const dist = new URL('../../examples/scenarios/dist/', import.meta.url)

/** Starts a process of `examples/scenarios`, as the driver does; resolves when it serves. */
export async function startScenarioProcess(
  module: string,
  scenario: string,
): Promise<ScenarioProcess> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'drawbridge-scenario-'))
  const settings = { scenario, folder, issuers: {}, secret: 's'.repeat(43), signalsToken: 'token' }
  const child = fork(fileURLToPath(new URL(module, dist)), {
    env: { ...process.env, NODE_NO_WARNINGS: '1', SETTINGS: JSON.stringify(settings) },
  })
  const [{ ready }] = (await once(child, 'message')) as [{ readonly ready: string }]
  return {
    url: ready,
    ask: async (act, input) => {
      child.send({ id: 1, act, input })
      await once(child, 'message')
    },
    stop: async () => {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}
