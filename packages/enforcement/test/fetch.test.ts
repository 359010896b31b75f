import { describe, expect, it } from '@jest/globals'
import { guardFetch } from '@drawbridge/enforcement'
import { alice, aliceSince, revoked, startedNode } from './signals.ts'

const url = 'https://app.example/page'

describe('guardFetch', () => {
  it('gives the handler the very request, and its answer back', async () => {
    const { enforcement } = await startedNode()
    const seen: Request[] = []
    const answer = new Response('the page')
    const handle = guardFetch(
      enforcement,
      () => aliceSince(-60),
      (request) => {
        seen.push(request)
        return answer
      },
    )
    const request = new Request(url)
    expect(await handle(request)).toBe(answer)
    expect(seen).toEqual([request])
  })
  it('rejects with what identify throws and does not call the handler', async () => {
    const { enforcement } = await startedNode()
    let called = false
    const handle = guardFetch(
      enforcement,
      () => {
        throw new Error('no session store')
      },
      () => {
        called = true
        return new Response()
      },
    )
    await expect(handle(new Request(url))).rejects.toThrow('no session store')
    expect(called).toBe(false)
  })
  it('leaves the body of a refused request unread', async () => {
    const { enforcement } = await startedNode()
    await enforcement.apply(revoked({ user: alice }))
    const handle = guardFetch(
      enforcement,
      () => aliceSince(-60),
      () => new Response(),
    )
    const request = new Request(url, { method: 'POST', body: 'a=1' })
    expect((await handle(request)).status).toBe(401)
    expect(request.bodyUsed).toBe(false)
  })
})
