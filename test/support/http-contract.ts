import { once } from 'node:events'
import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import type { FetchHandler } from '@drawbridge/core'
import type { Mount, Mounted } from './mounts.ts'

/** A handler whose answers the contract knows. */
export interface Subject {
  readonly handler: FetchHandler
  /** A request with a body that is good. */
  readonly good: Asked
  /** What the good request is answered. */
  readonly status: number
  /** The most bytes that a body may have. */
  readonly limitBytes: number
  /** The methods of the path of the good request. */
  readonly allow: string
  stop(): Promise<void>
}

/** A request. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** An answer, read. */
export interface Answered {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  /** The port that the peer had: tells one connection from another. */
  readonly connection?: number | undefined
}

let subject: Subject

/** Makes the subject of each test anew. */
function withSubject(make: () => Promise<Subject>): void {
  beforeEach(async () => void (subject = await make()))
  afterEach(() => subject.stop())
}

/** What holds for a handler in memory and over a socket. */
function sharedContract(ask: (asked: Asked) => Promise<Answered>): void {
  it('carries status, header fields and body', async () => {
    const answer = await ask(subject.good)
    expect(answer.status).toBe(subject.status)
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  it('another method is 405 with Allow, and a JSON body or none', async () => {
    const answer = await ask({ ...subject.good, method: 'LOCK' })
    expect([answer.status, answer.headers['allow']]).toEqual([405, subject.allow])
    expect(answer.text === '' || typeof JSON.parse(answer.text) === 'object').toBe(true)
  })

  it('a body that is too large is 413, one that is just small enough is read', async () => {
    const { good, limitBytes } = subject
    const large = await ask({ ...good, body: 'x'.repeat(limitBytes + 1) })
    expect([large.status, JSON.parse(large.text)]).toEqual([
      413,
      expect.objectContaining({ err: 'invalid_request' }),
    ])
    expect((await ask({ ...good, body: 'x'.repeat(limitBytes) })).status).toBe(400)
  })
}

/** The contract of a handler by itself: no server, no socket. */
export function memoryContract(make: () => Promise<Subject>): void {
  withSubject(make)
  sharedContract(async ({ method, path, headers, body }) => {
    const init = { method, headers, ...(body === undefined ? {} : { body }) }
    const answer = await subject.handler.fetch(new Request(`http://host${path}`, init))
    const fields = Object.fromEntries(answer.headers)
    return { status: answer.status, headers: fields, text: await answer.text() }
  })

  it('knows its paths', () => {
    const { handler, good } = subject
    expect(handler.serves(good.path)).toBe(true)
    expect([handler.serves('/other'), handler.serves(`${good.path}/nothing`)]).toEqual([
      false,
      false,
    ])
  })
}

/** The contract of a handler in an application, over a socket. */
export function httpContract(make: () => Promise<Subject>, mount: Mount): void {
  let mounted: Mounted
  withSubject(make)
  beforeEach(async () => void (mounted = await mount(subject.handler)))
  afterEach(() => mounted.close())

  const begin = ({ method, path, headers }: Asked, agent: Agent | false = false): ClientRequest =>
    httpRequest({ host: '127.0.0.1', port: mounted.port, method, path, headers, agent })
  const ask = (asked: Asked, agent?: Agent): Promise<Answered> => {
    const request = begin(asked, agent)
    const { body } = asked
    if (body !== undefined) request.setHeader('content-length', Buffer.byteLength(body))
    return answerTo(request.end(body))
  }
  sharedContract(ask)

  it('passes other paths to the application', async () => {
    const get = { method: 'GET', headers: {} }
    expect(await ask({ ...get, path: '/other' })).toMatchObject({
      status: 200,
      text: 'the application’s',
    })
    expect((await ask({ ...get, path: '/nothing' })).status).toBe(404)
    expect((await ask({ ...get, path: `${subject.good.path}/nothing` })).status).toBe(404)
  })

  it('a body in chunks is read like one with a length', async () => {
    const { good, status } = subject
    const request = begin(good)
    for (const character of good.body ?? '') request.write(character)
    expect((await answerTo(request.end())).status).toBe(status)
  })

  it('a body in chunks that is too large is 413', async () => {
    const request = begin(subject.good)
    for (let part = 0; part < 8; part++) request.write('x'.repeat(subject.limitBytes))
    expect((await answerTo(request.end())).status).toBe(413)
  })

  it('a slow body holds up nobody else, and is read to its end', async () => {
    const { good, status } = subject
    const body = good.body ?? ''
    const slow = begin({ ...good, headers: { ...good.headers, ...lengthOf(body) } })
    slow.write(body.slice(0, 5))
    expect((await ask(good)).status).toBe(status)
    expect((await answerTo(slow.end(body.slice(5)))).status).toBe(status)
  })

  it('a body that breaks off harms nobody else', async () => {
    const { good, status } = subject
    const broken = begin({ ...good, headers: { ...good.headers, 'content-length': '1000' } })
    const gone = new Promise((resolve) => void broken.on('error', resolve))
    broken.write('{', () => broken.destroy())
    await gone
    expect((await ask(good)).status).toBe(status)
  })

  it('one connection serves one request after the other, refused ones too', async () => {
    const { good, status } = subject
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const { authorization: _, ...anonymous } = good.headers
    const answers = [
      await ask(good, agent),
      await ask({ ...good, headers: anonymous }, agent),
      await ask({ ...good, method: 'LOCK' }, agent),
      await ask(good, agent),
    ]
    agent.destroy()
    const statuses = answers.map((answer) => answer.status)
    expect([statuses[0], statuses[2], statuses[3]]).toEqual([status, 405, status])
    expect([400, 401]).toContain(statuses[1])
    expect(new Set(answers.map(({ connection }) => connection)).size).toBe(1)
  })
}

/** What holds for each binding whatever the handler is. */
export function bindingContract(mount: Mount): void {
  it('carries every kind of answer, and fields of one name apart', async () => {
    const handler: FetchHandler = {
      serves: () => true,
      fetch: async (request) => {
        const { pathname, search } = new URL(request.url)
        const headers = new Headers({ 'x-asked': `${request.method} ${pathname}${search}` })
        headers.append('set-cookie', 'a=1')
        headers.append('set-cookie', 'b=2')
        const text = request.method === 'POST' ? await request.text() : null
        return new Response(text, { status: text === null ? 204 : 418, headers })
      },
    }
    const { port, close } = await mount(handler)
    const url = `http://127.0.0.1:${port}`
    const post = await fetch(`${url}/a%2Fb?x=1&x=2`, { method: 'POST', body: 'é' })
    expect([post.status, await post.text(), post.headers.get('x-asked')]).toEqual([
      418,
      'é',
      'POST /a%2Fb?x=1&x=2',
    ])
    expect(post.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    const head = await fetch(url, { method: 'HEAD' })
    expect([head.status, await head.text(), head.headers.get('x-asked')]).toEqual([
      204,
      '',
      'HEAD /',
    ])
    await close()
  })

  it('a peer that goes away aborts the signal of its request: a long poll ends', async () => {
    let asked: () => void = () => undefined
    const began = new Promise<void>((resolve) => void (asked = resolve))
    let end: () => void = () => undefined
    const ended = new Promise<void>((resolve) => void (end = resolve))
    const { port, close } = await mount({
      serves: () => true,
      fetch: async (request) => {
        await request.text()
        const aborted = once(request.signal, 'abort')
        asked()
        await aborted
        end()
        return new Response()
      },
    })
    const options = { host: '127.0.0.1', port, method: 'POST', agent: false }
    const poll = httpRequest(options)
      .on('error', () => undefined)
      .end('{}')
    await began
    poll.destroy()
    await ended
    await close()
  })
}

const lengthOf = (body: string): Record<string, string> => ({
  'content-length': String(Buffer.byteLength(body)),
})

/** Reads an answer also while the request is still being sent. */
async function answerTo(request: ClientRequest): Promise<Answered> {
  // A server that has refused a body may close before it has all of it.
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).on('error', reject)
  })
  const connection = response.socket.localPort
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const { statusCode, headers } = response
  return { status: statusCode, headers, text: Buffer.concat(chunks).toString(), connection }
}
