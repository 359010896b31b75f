import { describe, expect, it } from '@jest/globals'
import { requestLike } from '../src/bindings/node-request.ts'

describe('the request of Node', () => {
  it('is read as that of Fetch is', () => {
    const lists = { 'x-list': ['a', 'b'] }
    const { method, headers } = requestLike('PUT', { accept: 'text/html', ...lists })
    expect(method).toBe('PUT')
    expect(headers.get('Accept')).toBe('text/html')
    expect(headers.get('x-list')).toBe('a, b')
    expect(headers.get('x-absent')).toBeNull()
  })
})
