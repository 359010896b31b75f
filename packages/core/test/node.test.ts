import { once } from 'node:events'
import { createServer, request as httpRequest, type RequestListener, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import express from 'express'
import { emptyResponse, jsonResponse, readBody, type FetchHandler } from '@drawbridge/core'
import { toNode } from '@drawbridge/core/node'

let server: Server | undefined

afterEach(async () => {
  const closed = server && once(server, 'close')
  server?.close()
  server?.closeAllConnections()
  await closed
  server = undefined
})

async function serve(listener: RequestListener): Promise<{ port: number; url: string }> {
  server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { port, url: `http://127.0.0.1:${port}` }
}

/** Answers below `/signals` by a function. */
const at = (answer: FetchHandler['fetch'], path = '/signals'): FetchHandler => ({
  fetch: answer,
  serves: (pathname) => pathname === path || pathname.startsWith(`${path}/`),
})

/** Says what it was asked. */
const echo = at(async (request) =>
  jsonResponse(200, {
    method: request.method,
    path: new URL(request.url).pathname,
    search: new URL(request.url).search,
    type: request.headers.get('content-type'),
    many: request.headers.get('x-many'),
    body: await readBody(request, 1_000_000),
  }),
)

/** Writes bytes and reads until the peer closes or `until` has arrived. */
async function raw(port: number, bytes: string, until: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes)
  let text = ''
  for await (const chunk of socket) {
    text += String(chunk)
    if (text.includes(until)) break
  }
  socket.destroy()
  return text
}

/** Resolves when a figure has not changed over many turns of the event loop. */
async function settled(figure: () => number): Promise<void> {
  let [last, turns] = [figure(), 0]
  while (turns++ < 2000) {
    await new Promise((resolve) => void setImmediate(resolve))
    if (figure() !== last) [last, turns] = [figure(), 0]
  }
}

function deferred<Value = void>() {
  let resolve!: (value: Value) => void
  const promise = new Promise<Value>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

describe('toNode in node:http', () => {
  it('carries method, path, query, header fields and body', async () => {
    const { url } = await serve(toNode(echo))
    const response = await fetch(`${url}/signals/a%20b?x=1&x=2`, {
      method: 'POST',
      headers: [
        ['content-type', 'application/json'],
        ['x-many', '1'],
        ['x-many', '2'],
      ],
      body: '{"é":1}',
    })
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.json()).toEqual({
      method: 'POST',
      path: '/signals/a%20b',
      search: '?x=1&x=2',
      type: 'application/json',
      many: '1, 2',
      body: { text: '{"é":1}' },
    })
  })

  it('carries a large body, and one in pieces', async () => {
    const { url } = await serve(toNode(echo))
    const text = 'é'.repeat(400_000)
    for (const body of [text, new Blob([text]).stream()]) {
      const init: RequestInit & { duplex: 'half' } = { method: 'PUT', body, duplex: 'half' }
      const answer = (await (await fetch(`${url}/signals`, init)).json()) as { body: object }
      expect(answer.body).toEqual({ text })
    }
  })

  it('carries answers without a body, and to HEAD', async () => {
    const { url } = await serve(toNode(at(async () => emptyResponse(204, { 'x-own': '1' }))))
    const response = await fetch(`${url}/signals`, { method: 'DELETE' })
    expect([response.status, response.headers.get('x-own'), await response.text()]).toEqual([
      204,
      '1',
      '',
    ])
    expect((await fetch(`${url}/signals`, { method: 'HEAD' })).status).toBe(204)
  })

  it('carries several fields of one name', async () => {
    const answer = at(async () => {
      const response = emptyResponse(200)
      response.headers.append('set-cookie', 'a=1')
      response.headers.append('set-cookie', 'b=2')
      return response
    })
    const { url } = await serve(toNode(answer))
    expect((await fetch(`${url}/signals`)).headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  })

  it('gives a handler a Request whose body can be read in every way', async () => {
    const ways: Record<string, (request: Request) => Promise<unknown>> = {
      text: (request) => request.text(),
      json: async (request) => JSON.stringify(await request.json()),
      arrayBuffer: async (request) => Buffer.from(await request.arrayBuffer()).toString(),
      blob: async (request) => (await request.blob()).text(),
      clone: async (request) => (await request.clone().text()) === (await request.text()) && 'same',
      body: async (request) => {
        const chunks = []
        for await (const chunk of request.body ?? []) chunks.push(chunk)
        return Buffer.concat(chunks).toString()
      },
      used: async (request) => {
        const before = request.bodyUsed
        await request.text()
        return [before, request.bodyUsed].join(' ')
      },
      signal: async (request) => String(request.signal.aborted),
      again: async (request) => {
        await readBody(request, 100)
        return await request.text().catch(() => 'read before')
      },
    }
    const { url } = await serve(
      toNode(
        at(async (request) => {
          const way = ways[new URL(request.url).pathname.slice('/signals/'.length)]
          return jsonResponse(200, await way?.(request))
        }),
      ),
    )
    const answers: Record<string, unknown> = {}
    for (const way of Object.keys(ways)) {
      const response = await fetch(`${url}/signals/${way}`, { method: 'POST', body: '{"a":1}' })
      answers[way] = await response.json()
    }
    expect(answers).toEqual({
      text: '{"a":1}',
      json: '{"a":1}',
      arrayBuffer: '{"a":1}',
      blob: '{"a":1}',
      clone: 'same',
      body: '{"a":1}',
      used: 'false true',
      signal: 'false',
      again: 'read before',
    })
  })

  it('gives a handler the Request that the platform makes, in every other member', async () => {
    const fields: [string, string][] = [
      ['Content-Type', 'text/plain;charset=UTF-8'],
      ['X-Many', ' 1 '],
      ['x-many', '2'],
      ['Cookie', 'a=1'],
      ['X-Empty', ''],
    ]
    const seen = deferred<Request>()
    const { port } = await serve(
      toNode(
        at(async (request) => {
          seen.resolve(request)
          await readBody(request, 100)
          return emptyResponse(204)
        }),
      ),
    )
    const head = [['Host', 'a'], ...fields, ['Content-Length', '2']].map((one) => one.join(':'))
    await raw(port, `POST /signals?q=1 HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\nhi`, '204')
    const request = await seen.promise
    const same = new Request('http://host/signals?q=1', { method: 'POST', body: 'hi' })
    same.headers.set('content-length', '2')
    same.headers.set('host', 'a')
    for (const [name, value] of fields.slice(1)) same.headers.append(name, value)

    const { method, url, headers } = request
    expect({ method, url }).toEqual({ method: same.method, url: same.url })
    expect(Object.prototype.toString.call(request)).toBe('[object Request]')
    expect(Request.prototype.isPrototypeOf(request)).toBe(true)
    expect(Headers.prototype.isPrototypeOf(headers)).toBe(true)
    // By name before the list is made, and after.
    const byName = (list: Headers): unknown[] =>
      ['content-type', 'X-MANY', 'cookie', 'x-empty', 'none'].map((name) => [
        list.get(name),
        list.has(name),
      ])
    expect(byName(headers)).toEqual(byName(same.headers))
    const each: [string, string, unknown][] = []
    headers.forEach((value, name, self) => each.push([name, value, self === headers]))
    expect(each).toEqual([...same.headers].map(([name, value]) => [name, value, true]))
    expect([...headers]).toEqual([...same.headers])
    expect([...headers.keys()]).toEqual([...same.headers.keys()])
    expect([...headers.values()]).toEqual([...same.headers.values()])
    expect([...new Headers(headers)]).toEqual([...same.headers])
    expect(headers.getSetCookie()).toEqual([])
    expect(byName(headers)).toEqual(byName(same.headers))
    headers.append('x-many', '3')
    headers.set('cookie', 'b=2')
    headers.delete('x-empty')
    expect([headers.get('x-many'), headers.get('cookie'), headers.has('x-empty')]).toEqual([
      '1, 2, 3',
      'b=2',
      false,
    ])
    const members = Object.keys(Object.getOwnPropertyDescriptors(Request.prototype))
    for (const name of members) expect(name in request).toBe(true)
    const plain = [
      'cache',
      'credentials',
      'destination',
      'duplex',
      'integrity',
      'keepalive',
      'mode',
      'redirect',
      'referrer',
      'referrerPolicy',
    ] as const
    for (const name of plain) expect([name, request[name]]).toEqual([name, same[name]])
  })

  it('what an answer with JSON is written from is what its stream has', async () => {
    const text = '{"é":1}'
    const answers: Record<string, () => Response | Promise<Response>> = {
      whole: () => jsonResponse(200, { é: 1 }),
      wrapped: () => new Response(jsonResponse(200, { é: 1 }).body),
      read: async () => {
        const answer = jsonResponse(200, { é: 1 })
        const body = await answer.text()
        return Object.assign(answer, { read: body })
      },
    }
    const { url } = await serve(
      toNode(
        at(async (request) => {
          const make = answers[new URL(request.url).pathname.slice('/signals/'.length)]
          return make ? make() : emptyResponse(404)
        }),
      ),
    )
    const whole = await fetch(`${url}/signals/whole`)
    expect(whole.headers.get('content-length')).toBe(String(Buffer.byteLength(text)))
    expect(whole.headers.get('content-type')).toBe('application/json')
    expect(await whole.text()).toBe(text)
    expect(await (await fetch(`${url}/signals/wrapped`)).text()).toBe(text)
    // A body that somebody has read is gone, as it is everywhere else.
    expect((await fetch(`${url}/signals/read`)).status).toBe(500)
    const head = await fetch(`${url}/signals/whole`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })

  it('writes a stream as it comes, and tells its source that the peer is gone', async () => {
    const cancelled = deferred<unknown>()
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined
    const stream = new ReadableStream<Uint8Array>({
      start: (given) => void (controller = given),
      cancel: (reason) => cancelled.resolve(reason),
    })
    const headers = { 'content-type': 'text/event-stream' }
    const { url } = await serve(toNode(at(async () => new Response(stream, { headers }))))
    const leaving = new AbortController()
    // The head comes before anything is there to read.
    const response = await fetch(`${url}/signals`, { signal: leaving.signal })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const reader = response.body?.getReader()
    for (const text of ['data: 1\n\n', 'data: 2\n\n']) {
      controller?.enqueue(new TextEncoder().encode(text))
      const chunk = await reader?.read()
      expect(new TextDecoder().decode(chunk?.value)).toBe(text)
    }
    leaving.abort()
    await cancelled.promise
  })

  it('tells the source of a stream that nobody will read it: the peer has gone, or asked by HEAD', async () => {
    const endless = (cancelled: () => void): Response =>
      new Response(new ReadableStream<Uint8Array>({ cancel: cancelled }))
    const [begun, gone, head] = [deferred(), deferred(), deferred()]
    const { port, url } = await serve(
      toNode(
        at(async ({ method, signal }) => {
          if (method === 'HEAD') return endless(head.resolve)
          begun.resolve()
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
          return endless(gone.resolve)
        }),
      ),
    )
    const leaving = new AbortController()
    const asked = fetch(`${url}/signals`, { signal: leaving.signal }).catch(() => undefined)
    await begun.promise
    leaving.abort()
    await Promise.all([asked, gone.promise])
    // The connection stays open: that it closes is not what ends the stream.
    const socket = connect(port, '127.0.0.1')
    socket.write('HEAD /signals HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await head.promise
    socket.destroy()
  })

  it('reads a stream no faster than the peer does, and ends it', async () => {
    const chunk = new Uint8Array(64 * 1024).fill(97)
    let pulled = 0
    const total = 256
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        if (++pulled > total) controller.close()
        else controller.enqueue(chunk)
      },
    })
    const { port } = await serve(toNode(at(async () => new Response(stream))))
    const socket = connect(port, '127.0.0.1')
    socket.write('GET /signals HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    const [first] = (await once(socket, 'data')) as [Buffer]
    // It is not read on: what the two ends and the kernel buffer is far from all of it.
    socket.pause()
    await settled(() => pulled)
    expect(pulled).toBeLessThan(total)
    let length = first.length
    for await (const part of socket) length += (part as Buffer).length
    expect(length).toBeGreaterThan(total * chunk.length)
    expect(pulled).toBe(total + 1)
  })

  it('a stream that fails breaks the connection: the answer does not pass for a whole one', async () => {
    let pulls = 0
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        if (++pulls === 1) controller.enqueue(new Uint8Array([97]))
        else controller.error(new Error('secret'))
      },
    })
    const { url } = await serve(toNode(at(async () => new Response(stream))))
    const response = await fetch(`${url}/signals`)
    await expect(response.text()).rejects.toThrow()
  })

  it('answers every path: there is nobody else to ask', async () => {
    const { url } = await serve(toNode(echo))
    expect(await (await fetch(`${url}/other`)).json()).toMatchObject({ path: '/other' })
  })

  it('takes a target with two slashes for a path, never for a host', async () => {
    const { port } = await serve(toNode(echo))
    const request = 'GET //evil.example/signals HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
    expect(await raw(port, request, '}}')).toContain('"path":"//evil.example/signals"')
  })

  it('takes a whole URL as target, and refuses what is none', async () => {
    const { port } = await serve(toNode(echo))
    const ask = (target: string): Promise<string> =>
      raw(port, `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`, '\0')
    expect(await ask('http://a.example/signals')).toContain('"path":"/signals"')
    expect(await ask('*')).toContain('HTTP/1.1 400')
    expect(await ask('http://name:word@a.example/signals')).toContain('HTTP/1.1 400')
  })

  it('answers 500 without a word where the handler breaks its promise, or the method cannot be', async () => {
    const { url, port } = await serve(toNode(at(() => Promise.reject(new Error('secret')))))
    const response = await fetch(`${url}/signals`)
    expect([response.status, await response.text()]).toEqual([500, ''])
    let calls = 0
    server?.removeAllListeners('request').on(
      'request',
      toNode(
        at(async () => {
          calls++
          return emptyResponse(204)
        }),
      ),
    )
    const trace = 'TRACE /signals HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
    expect(await raw(port, trace, '\0')).toContain('HTTP/1.1 500')
    expect(calls).toBe(0)
  })

  it('a body that is too large: the answer arrives, though the peer still sends', async () => {
    const refuse = at(async (request) => {
      const body = await readBody(request, 1000)
      return jsonResponse(body.refused ? 413 : 200, { refused: body.refused ?? null })
    })
    const { url } = await serve(toNode(refuse))
    for (let round = 0; round < 10; round++) {
      const asked = httpRequest(`${url}/signals`, { method: 'POST' })
      const closed = once(asked, 'close')
      const arrived = once(asked, 'response') as Promise<[import('node:http').IncomingMessage]>
      // Sends to the end, as a simple peer does, and reads only then.
      for (let part = 0; part < 64; part++) asked.write(Buffer.alloc(65_536, 'x'))
      asked.end()
      const [response] = await arrived
      let text = ''
      for await (const chunk of response) text += String(chunk)
      expect([response.statusCode, text]).toEqual([413, '{"refused":"too-large"}'])
      await closed
    }
  })

  it('a body that nobody read: the next request on the connection is answered', async () => {
    const { port } = await serve(toNode(at(async () => emptyResponse(401))))
    const body = 'x'.repeat(300_000)
    const one = `POST /signals HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    const last = 'GET /signals HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
    const text = await raw(port, one + one + last, '\0')
    expect(text.match(/HTTP\/1\.1 401/g)).toHaveLength(3)
  })

  it('a peer that promises a body and stays silent is let go after the answer', async () => {
    const { port } = await serve(toNode(at(async () => emptyResponse(401))))
    const began = performance.now()
    const head = 'POST /signals HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nx'
    expect(await raw(port, head, '\0')).toContain('HTTP/1.1 401')
    expect(performance.now() - began).toBeLessThan(10_000)
  })

  it('an aborted request aborts the signal', async () => {
    const [asked, aborted] = [deferred(), deferred()]
    const hold = at(async (request) => {
      request.signal.addEventListener('abort', () => aborted.resolve())
      asked.resolve()
      await aborted.promise
      return emptyResponse(200)
    })
    const { url } = await serve(toNode(hold))
    const controller = new AbortController()
    const response = fetch(`${url}/signals`, { signal: controller.signal })
    await asked.promise
    controller.abort()
    await expect(response).rejects.toMatchObject({ name: 'AbortError' })
    await aborted.promise
  })

  it('a request that was answered does not abort the signal', async () => {
    let signal: AbortSignal | undefined
    const answer = at(async (request) => {
      signal = request.signal
      return emptyResponse(200)
    })
    const { url } = await serve((request, response) => {
      response.once('close', () => closed.resolve())
      toNode(answer)(request, response)
    })
    const closed = deferred()
    await (await fetch(`${url}/signals`)).text()
    await closed.promise
    expect(signal?.aborted).toBe(false)
  })

  it('a connection that breaks in the body fails the reading of it', async () => {
    const failed = deferred<unknown>()
    const read = at(async (request) => {
      await readBody(request, 1000).catch(failed.resolve)
      return emptyResponse(400)
    })
    const { port } = await serve(toNode(read))
    const socket = connect(port, '127.0.0.1')
    socket.write('POST /signals HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nx')
    await once(socket, 'connect')
    setImmediate(() => socket.destroy())
    expect(await failed.promise).toMatchObject({
      message: 'the connection closed before the body was complete',
    })
  })
})

describe('toNode in Express', () => {
  it('passes other paths on', async () => {
    const app = express()
    app.use(toNode(echo))
    app.get('/other', (_request, response) => void response.send('mine'))
    const { url } = await serve(app)
    expect(await (await fetch(`${url}/other`)).text()).toBe('mine')
    expect(await (await fetch(`${url}/signals`)).json()).toMatchObject({ path: '/signals' })
    expect((await fetch(`${url}/nothing`)).status).toBe(404)
  })

  it('sees the path that the peer asked for, also below a mount point', async () => {
    const app = express()
    app.use('/signals', toNode(echo))
    const { url } = await serve(app)
    expect(await (await fetch(`${url}/signals/x`)).json()).toMatchObject({ path: '/signals/x' })
  })

  it('carries a body, and passes one that a parser took to the error handler', async () => {
    const app = express()
    app.use('/parsed', express.json())
    app.use(toNode({ ...echo, serves: () => true }))
    const errors: string[] = []
    app.use(((error, _request, response, _next) => {
      errors.push((error as Error).message)
      response.status(500).end()
    }) satisfies express.ErrorRequestHandler)
    const { url } = await serve(app)
    const send = (path: string): Promise<Response> =>
      fetch(url + path, {
        method: 'POST',
        body: '{"a":1}',
        headers: { 'content-type': 'application/json' },
      })
    expect(await (await send('/signals')).json()).toMatchObject({ body: { text: '{"a":1}' } })
    expect((await send('/parsed')).status).toBe(500)
    expect(errors).toEqual([expect.stringContaining('mount Drawbridge before express.json()')])
  })

  it('a body that is too large closes politely', async () => {
    const app = express()
    app.use(
      toNode(
        at(async (request) => {
          const { refused } = await readBody(request, 1000)
          return jsonResponse(refused ? 413 : 200, {})
        }),
      ),
    )
    const { url } = await serve(app)
    const response = await fetch(`${url}/signals`, { method: 'POST', body: 'x'.repeat(5_000_000) })
    expect(response.status).toBe(413)
  })
})
