// What the README's identity provider has of its own.
import express, { type Express } from 'express'
import type { Subject } from '@drawbridge/schema'

export interface Login {
  readonly sub: string
  readonly sid: string
}
export const app: Express = express()
export const settings = { secret: 'a secret for a test, 32 characters or more', appToken: 'token' }
export const mayLearnAbout = (receiverId: string, subject: Subject): boolean =>
  receiverId === 'app' && subject.format === 'complex'
