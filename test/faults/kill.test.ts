import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { end, ended, freePorts, startChild } from '../support/child.ts'

const times = 20

let folder: string
let idp: ChildProcess | undefined
let app: ChildProcess | undefined
let idpPort: number
let appPort: number
let handled: Set<string>
let onHandled: () => void

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'drawbridge-kill-'))
  ;[idpPort, appPort] = await freePorts()
  handled = new Set()
  onHandled = () => undefined
})
afterEach(async () => {
  await Promise.all([end(idp), end(app)])
  await rm(folder, { recursive: true, force: true })
})

const startIdp = async (): Promise<void> => {
  idp = await startChild('idp-child.mjs', String(idpPort), path.join(folder, 'idp.db'))
}
const startApp = async (delivery: string): Promise<void> => {
  const issuer = `http://127.0.0.1:${idpPort}`
  const file = path.join(folder, 'ledger.db')
  app = await startChild('app-child.mjs', String(appPort), issuer, file, delivery)
  app.on('message', (message: { handled?: string }) => {
    if (message.handled === undefined) return
    handled.add(message.handled)
    onHandled()
  })
}
const hasHandled = (sid: string): Promise<void> =>
  new Promise((resolve) => {
    onHandled = () => {
      if (handled.has(sid)) resolve()
    }
    onHandled()
  })
const open = async (sid: string): Promise<number> => {
  const login = JSON.stringify({ sub: 'alice', sid, at: Date.now() - 60_000 })
  const response = await fetch(`http://127.0.0.1:${appPort}/`, { headers: { 'x-login': login } })
  await response.body?.cancel()
  return response.status
}

describe('kill -9', () => {
  for (const delivery of ['push', 'poll']) {
    it(`of the identity provider right after transmit resolved: restarted, it delivers by ${delivery} and the session ends, ${times} times`, async () => {
      await startIdp()
      await startApp(delivery)
      for (let round = 0; round < times; round++) {
        const sid = `session-${round}`
        expect(await open(sid)).toBe(200)
        idp?.send({ transmit: sid })
        if (idp) await ended(idp)
        expect(await open(sid)).toBe(200) // it died before anything was delivered
        await startIdp()
        await hasHandled(sid)
        expect(await open(sid)).toBe(401)
      }
    }, 600_000)
  }

  it(`of the application right after its 202: restarted, the same cookie is still refused, ${times} times`, async () => {
    await startIdp()
    await startApp('push')
    for (let round = 0; round < times; round++) {
      const sid = `session-${round}`
      expect(await open(sid)).toBe(200)
      app?.send({ arm: true })
      idp?.send({ transmit: sid, survive: true })
      if (app) await ended(app)
      await startApp('push')
      expect(await open(sid)).toBe(401)
    }
  }, 600_000)
})
