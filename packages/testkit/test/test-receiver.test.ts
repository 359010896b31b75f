import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from '@jest/globals'
import {
  accept,
  answerStatus,
  closeConnection,
  createTestReceiver,
  drip,
  garbage,
  hang,
  page,
  redirect,
  refuse,
  tooManyRequests,
  unavailable,
  type TestReceiver,
  type TestReceiverOptions,
} from '@drawbridge/testkit'

const open: TestReceiver[] = []
afterEach(() => Promise.all(open.splice(0).map((receiver) => receiver.close())))

async function start(options?: TestReceiverOptions): Promise<TestReceiver> {
  const receiver = await createTestReceiver(options)
  open.push(receiver)
  return receiver
}

const setOf = (claims: object): string =>
  ['{}', JSON.stringify(claims), '']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.')

const push = (
  { url }: TestReceiver,
  jti: string,
  { signal, ...claims }: { signal?: AbortSignal; n?: number } = {},
): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    body: setOf({ jti, ...claims }),
    headers: { 'content-type': 'application/secevent+jwt', authorization: 'Bearer of a test' },
    redirect: 'manual',
    ...(signal ? { signal } : {}),
  })

describe('createTestReceiver', () => {
  it('takes every SET, and keeps claims, body and headers', async () => {
    const receiver = await start()
    expect((await push(receiver, 'a', { n: 1 })).status).toBe(202)
    await receiver.until(1)
    const [set] = receiver.accepted
    expect(set).toMatchObject({
      jti: 'a',
      claims: { jti: 'a', n: 1 },
      set: setOf({ jti: 'a', n: 1 }),
    })
    expect(set?.headers).toMatchObject({ authorization: 'Bearer of a test' })
    expect(receiver.received).toEqual(receiver.accepted)
  })

  it('takes what is no SET for one without claims', async () => {
    const receiver = await start()
    for (const body of ['', 'no set', 'a.bnVsbA.c', 'a.%%%.c']) {
      await fetch(receiver.url, { method: 'POST', body })
    }
    expect(receiver.received.map(({ claims }) => claims)).toEqual([{}, {}, {}, {}])
  })

  it('answers with each status as ordered, once, and then as before', async () => {
    const receiver = await start()
    receiver.next(tooManyRequests(7), unavailable(), refuse('invalid_state', 'why'), page)
    receiver.next(redirect('http://127.0.0.1:1/'), answerStatus(418, { 'x-tea': 'yes' }), accept)
    receiver.answer(answerStatus(500))
    const answers = []
    for (let n = 0; n < 8; n++) answers.push(await push(receiver, `${n}`))
    expect(answers.map(({ status }) => status)).toEqual([429, 503, 400, 200, 307, 418, 202, 500])
    expect(answers[0]?.headers.get('retry-after')).toBe('7')
    expect(answers[1]?.headers.has('retry-after')).toBe(false)
    expect(await answers[2]?.json()).toEqual({ err: 'invalid_state', description: 'why' })
    expect(answers[2]?.headers.get('content-language')).toBe('en')
    expect(await answers[3]?.text()).toMatch(/^<!doctype html>/)
    expect(answers[4]?.headers.get('location')).toBe('http://127.0.0.1:1/')
    expect(receiver.accepted.map(({ jti }) => jti)).toEqual(['6'])
    expect(receiver.received).toHaveLength(8)
  })

  it('answers by rule: the newest that holds, until it is ended', async () => {
    const receiver = await start()
    const isFirst = ({ claims }: { claims: Readonly<Record<string, unknown>> }): boolean =>
      claims['n'] === 1
    receiver.when(isFirst, answerStatus(500))
    const end = receiver.when(isFirst, answerStatus(403))
    const statuses = []
    for (const n of [1, 2]) statuses.push((await push(receiver, 'a', { n })).status)
    end()
    statuses.push((await push(receiver, 'a', { n: 1 })).status)
    expect(statuses).toEqual([403, 202, 500])
  })

  it.each([
    ['closes the connection', closeConnection],
    ['answers garbage', garbage],
  ])('%s, where it is ordered', async (_name, answer) => {
    const receiver = await start()
    receiver.next(answer)
    await expect(push(receiver, 'a')).rejects.toThrow('fetch failed')
    expect((await push(receiver, 'b')).status).toBe(202)
  })

  it('hangs until the peer gives up, where it is ordered', async () => {
    const receiver = await start()
    receiver.next(hang)
    const patience = new AbortController()
    const pushing = push(receiver, 'a', { signal: patience.signal })
    await receiver.until(({ received }) => received.length === 1)
    patience.abort()
    await expect(pushing).rejects.toMatchObject({ name: 'AbortError' })
    expect(receiver.accepted).toEqual([])
  })

  it('drips, where it is ordered: the answer begins and does not end', async () => {
    const receiver = await start()
    receiver.next(drip(1))
    const answer = await push(receiver, 'a')
    const reader = answer.body?.getReader()
    for (let n = 0; n < 3; n++) expect((await reader?.read())?.done).toBe(false)
    await reader?.cancel()
  })

  it('waits for a number of SETs or for a condition, and says so when it is closed', async () => {
    const receiver = await start()
    const seen: string[] = []
    const waits = [
      receiver.until(2).then(() => seen.push('two')),
      receiver
        .until(({ accepted }) => accepted.some(({ jti }) => jti === 'a'))
        .then(() => seen.push('a')),
    ]
    await push(receiver, 'a')
    expect(seen).toEqual(['a'])
    await push(receiver, 'b')
    await Promise.all(waits)
    const never = expect(receiver.until(3)).rejects.toThrow('the receiver was closed before')
    const wrong = receiver.until(() => {
      throw new Error('of the condition')
    })
    await expect(wrong).rejects.toThrow('of the condition')
    await receiver.close()
    await never
    await expect(receiver.until(9)).rejects.toThrow('the receiver was closed before')
  })

  it('goes down and comes back on the same port', async () => {
    const receiver = await start()
    receiver.next(hang)
    const broken = expect(push(receiver, 'a')).rejects.toThrow('fetch failed')
    await receiver.until(({ received }) => received.length === 1)
    await receiver.goDown()
    await receiver.goDown()
    await broken
    await expect(push(receiver, 'b')).rejects.toThrow('fetch failed')
    await receiver.comeBack()
    await receiver.comeBack()
    expect((await push(receiver, 'c')).status).toBe(202)
  })

  it('holds connections and goes on with them', async () => {
    const receiver = await start()
    const release = receiver.holdConnections()
    const pushing = push(receiver, 'a')
    const { port } = new URL(receiver.url)
    // Who connects later is accepted later.
    await new Promise<void>((resolve) => connect(Number(port), '127.0.0.1', resolve))
    expect(receiver.received).toEqual([])
    release()
    expect((await pushing).status).toBe(202)
  })

  it('breaks off a body that is too long', async () => {
    const receiver = await start()
    const body = 'x'.repeat(1024 * 1024 + 1)
    await expect(fetch(receiver.url, { method: 'POST', body })).rejects.toThrow('fetch failed')
    expect(receiver.received).toEqual([])
  })

  it('speaks TLS, and its handshake can be held', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'drawbridge-tls-'))
    const [key, cert] = [path.join(folder, 'key'), path.join(folder, 'cert')]
    const command = `req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 -keyout ${key} -out ${cert}`
    await promisify(execFile)('openssl', command.split(' '))
    const tls = { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') }
    await rm(folder, { recursive: true })
    const receiver = await start({ tls, path: '/tls' })
    expect(receiver.url).toMatch(/^https:.*\/tls$/)
    const release = receiver.holdConnections()
    const events: string[] = []
    const done = new Promise<void>((resolve, reject) => {
      const request = httpsRequest(receiver.url, {
        method: 'POST',
        ca: tls.cert,
        servername: 'localhost',
      })
      request.on('socket', (socket) => {
        socket.on('connect', () => {
          events.push('connected')
          release()
        })
        socket.on('secureConnect', () => events.push('secure'))
      })
      request.on('response', ({ statusCode }) => {
        events.push(String(statusCode))
        resolve()
      })
      request.on('error', reject)
      request.end(setOf({ jti: 'a' }))
    })
    await done
    expect(events).toEqual(['connected', 'secure', '202'])
  })
})
