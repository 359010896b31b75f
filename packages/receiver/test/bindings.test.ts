import { describe, expect, it } from '@jest/globals'
import { createReceiver, staticToken } from '@drawbridge/receiver'
import * as express from '@drawbridge/receiver/express'
import * as fastify from '@drawbridge/receiver/fastify'
import * as hono from '@drawbridge/receiver/hono'
import * as node from '@drawbridge/receiver/node'
import { httpContract, memoryContract, type Subject } from '../../../test/support/http-contract.ts'
import { mounts } from '../../../test/support/mounts.ts'

/** A push endpoint, and a push that is well-formed HTTP and no SET. */
async function makeSubject(): Promise<Subject> {
  const handler = createReceiver({
    issuer: 'https://idp.example',
    audience: 'https://app.example',
    authorize: staticToken('token'),
    push: { url: 'https://app.example/signals', authorizationHeader: 'Bearer of the stream' },
  })
  return {
    handler,
    good: {
      method: 'POST',
      path: '/signals',
      headers: {
        authorization: 'Bearer of the stream',
        'content-type': 'application/secevent+jwt',
      },
      body: 'this is no SET',
    },
    status: 400,
    limitBytes: 64 * 1024,
    allow: 'POST',
    stop: () => handler.stop(),
  }
}

describe('the HTTP contract of a push endpoint in memory', () => memoryContract(makeSubject))

describe.each(Object.entries(mounts))('the HTTP contract of a push endpoint in %s', (_, mount) =>
  httpContract(makeSubject, mount),
)

it('the bindings of the Receiver are there', () => {
  expect(Object.keys({ ...express, ...fastify, ...hono, ...node }).toSorted()).toEqual([
    'toFastify',
    'toHono',
    'toNode',
  ])
})
