import type { ServerResponse } from 'node:http'
import type { SetErrorCode } from '@drawbridge/schema'

/** Answers a push, well or badly. Any function of this kind can be ordered. */
export type PushAnswer = (response: ServerResponse) => void

/** 202: the SET was taken. What a test Receiver answers when nothing else was ordered. */
export const accept: PushAnswer = (response) => void response.writeHead(202).end()

/** Any status, with an empty body. */
export const answerStatus =
  (status: number, headers: Readonly<Record<string, string>> = {}): PushAnswer =>
  (response) =>
    void response.writeHead(status, headers).end()

/**
 * 429, with `Retry-After` where it is given.
 *
 * @param retryAfter Seconds, or an HTTP date
 */
export const tooManyRequests = (retryAfter?: number | string): PushAnswer =>
  answerStatus(429, after(retryAfter))

/**
 * 503, with `Retry-After` where it is given.
 *
 * @param retryAfter Seconds, or an HTTP date
 */
export const unavailable = (retryAfter?: number | string): PushAnswer =>
  answerStatus(503, after(retryAfter))

const after = (value?: number | string): Record<string, string> =>
  value === undefined ? {} : { 'retry-after': String(value) }

/**
 * 400 with an error as the specification writes it: this SET is refused.
 *
 * @see RFC 8935, "Failure Response"
 */
export const refuse =
  (err: SetErrorCode, description = 'refused by order of a test'): PushAnswer =>
  (response) =>
    void response
      .writeHead(400, { 'content-type': 'application/json', 'content-language': 'en' })
      .end(JSON.stringify({ err, description }))

/** 200 with a page, as a catch-all route of a web application answers: nothing was taken. */
export const page: PushAnswer = (response) =>
  void response
    .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    .end('<!doctype html><title>Welcome</title><p>Whatever you asked for, here is our start page.')

/** 307 to another address, which must not be followed. */
export const redirect = (to: string): PushAnswer => answerStatus(307, { location: to })

/** Never answers, and keeps the connection. */
export const hang: PushAnswer = () => undefined

/**
 * Answers 200 and then byte after byte of a body that never ends: each step is within any time
 * limit for a step.
 *
 * @param everyMs Milliseconds between bytes. Default 20
 */
export const drip =
  (everyMs = 20): PushAnswer =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/plain' })
    const timer = setInterval(() => response.write('.'), everyMs)
    response.on('close', () => clearInterval(timer))
  }

/** Closes the connection without an answer. */
export const closeConnection: PushAnswer = (response) => void response.socket?.destroy()

/** Answers what is no HTTP, and closes the connection. */
export const garbage: PushAnswer = (response) =>
  void response.socket?.end('\u0000\u0001 202 is what this is not\r\n\r\n')
