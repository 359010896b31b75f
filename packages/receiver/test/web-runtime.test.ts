import { webcrypto } from 'node:crypto'
import { createContext, runInContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { build } from 'esbuild'
import { fakeTransmitter, type FakeTransmitter } from './support/fake-transmitter.ts'

/** The Receiver as one script. No module of Node resolves in it. */
async function script(): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `export * from '@drawbridge/receiver'`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'drawbridge',
    platform: 'neutral',
    conditions: ['drawbridge-source'],
    mainFields: ['module', 'main'],
  })
  return outputFiles[0]?.text ?? ''
}

/** What every web runtime has: the Minimum Common API of WinterTC, as far as it is used. */
const webApis = {
  AbortController,
  AbortSignal,
  ArrayBuffer,
  atob,
  btoa,
  clearTimeout,
  console,
  crypto,
  DOMException,
  Event,
  EventTarget,
  fetch,
  FormData,
  Headers,
  ReadableStream,
  Request,
  Response,
  setTimeout,
  structuredClone,
  TextDecoder,
  TextEncoder,
  Uint8Array,
  URL,
  URLSearchParams,
}

interface Running {
  readonly handled: string[]
  push(set: string): Promise<Response>
  start(): Promise<void>
  stop(): Promise<void>
}

describe('a runtime with Web APIs alone', () => {
  let transmitter: FakeTransmitter
  let running: Running
  beforeEach(async () => {
    transmitter = await fakeTransmitter()
    const context = createContext({
      ...webApis,
      CryptoKey: webcrypto.CryptoKey,
      issuer: transmitter.issuer,
    })
    runInContext(await script(), context)
    running = runInContext(
      `(() => {
        const handled = []
        const receiver = drawbridge.createReceiver({
          issuer,
          audience: 'app',
          authorize: drawbridge.staticToken('token'),
          push: { url: 'https://app.example/signals' },
          allowInsecureHttp: true,
        })
        receiver.onSessionTermination(({ cause }) => void handled.push(cause.jti))
        return {
          handled,
          push: (body) => receiver.fetch(new Request('https://app.example/signals', {
            method: 'POST', body, headers: { 'content-type': 'application/secevent+jwt' },
          })),
          start: () => receiver.start(),
          stop: () => receiver.stop(),
        }
      })()`,
      context,
    ) as Running
  })
  afterEach(async () => {
    await running.stop()
    await transmitter.close()
  })

  it('verifies and handles a pushed SET', async () => {
    const answer = await running.push(await transmitter.sign({ claims: { jti: 'one' } }))
    expect(answer.status).toBe(202)
    expect([...running.handled]).toEqual(['one'])
  })

  it('refuses one whose signature does not verify', async () => {
    const [header, payload] = (await transmitter.sign()).split('.')
    const answer = await running.push(`${header}.${payload}.${'A'.repeat(86)}`)
    expect([answer.status, await answer.json()]).toMatchObject([400, { err: 'invalid_key' }])
    expect([...running.handled]).toEqual([])
  })

  it('finds its Transmitter and makes its stream', async () => {
    transmitter.answerNext('POST /verify', 204)
    await running.start()
    expect(transmitter.requests.map(({ line }) => line)).toContain('POST /streams')
  })
})
