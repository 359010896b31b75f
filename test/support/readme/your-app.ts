// What the README's application has of its own.
import express, { type Express, type Request } from 'express'
import type { Subject } from '@drawbridge/schema'

interface Login {
  readonly sub: string
  readonly sid: string
  readonly authTime: number
}
export const app: Express = express()
export const settings = { appToken: 'token' }
export const destroyed: Subject[] = []
export const sessions = {
  destroyAll: (subject: Subject): Promise<void> => {
    destroyed.push(subject)
    return Promise.resolve()
  },
}
export const loginOf = (request: Request): Login | undefined => {
  const login = request.get('x-login')
  return login === undefined ? undefined : (JSON.parse(login) as Login)
}
