import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readJson } from '@drawbridge/schema'
import { setErrorOf, thrownBy } from './support.ts'

const messageOf = (input: string | Uint8Array): string => setErrorOf(() => readJson(input)).message

describe('readJson', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.boolean(), (value, pretty) => {
        const text = JSON.stringify(value, null, pretty ? 2 : 0)
        expect(readJson(text)).toEqual(JSON.parse(text))
        expect(readJson(new TextEncoder().encode(text))).toEqual(JSON.parse(text))
      }),
      { numRuns: 500 },
    )
  })

  it('SSF-3.3-4 SET-2.2-9: refuses a member name that occurs twice in one object', () => {
    for (const text of [
      '{"a":1,"a":1}',
      '{"sub_id":{"format":"complex","user":{},"user":{}}}',
      '{"events":{"urn:a:b":{},"urn:a:b":{}}}',
      '[{"x":[]},{"a":{"b":1},"c":2,"a":3}]',
      String.raw`{"user":1,"\u0075ser":2}`,
      '{"__proto__":1,"__proto__":2}',
      '{"":1,"":2}',
      String.raw`{"a\"b":1,"a\"b":2}`,
    ]) {
      expect(messageOf(text)).toBe('a member name occurs twice in one object')
      expect(messageOf(text.replaceAll(':', ' : '))).toContain('twice')
    }
  })

  it('takes the same name in different objects, and as a value', () => {
    for (const text of [
      '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}',
      '{"a":"a","b":"a","c":["a","a","b"]}',
      '["a","a",{"a":"{\\"a\\":1,\\"a\\":2}"}]',
      String.raw`{"a":"\\","b":"\"","c":"\\\"a"}`,
    ]) {
      expect(readJson(text)).toEqual(JSON.parse(text))
    }
  })

  it('refuses bytes that are not UTF-8, and text that is not JSON', () => {
    for (const input of [new Uint8Array([0x22, 0xff, 0x22]), '', '{', '{"a":1,}', 'undefined']) {
      expect(messageOf(input)).toBe('the text is not JSON in UTF-8')
    }
    expect(setErrorOf(() => readJson('{'))).toMatchObject({
      code: 'ERR_SET_MALFORMED',
      err: 'invalid_request',
    })
  })

  it('takes 64 levels and no more, however deep a peer goes', () => {
    const nestedText = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
    expect(readJson(nestedText(64))).toBeDefined()
    expect(messageOf(nestedText(65))).toContain('levels deep')
    expect(messageOf('{"a":'.repeat(5000) + '1' + '}'.repeat(5000))).toContain('levels deep')
    expect(setErrorOf(() => readJson(nestedText(300_000))).name).toBe('SetError')
  })

  it('throws nothing but SetError, whatever text or bytes it is given', () => {
    const only = (input: string | Uint8Array): void => {
      const error = thrownBy(() => readJson(input))
      if (error !== undefined) expect(error).toMatchObject({ name: 'SetError' })
    }
    fc.assert(fc.property(fc.string({ unit: 'binary' }), only), { numRuns: 500 })
    fc.assert(fc.property(fc.uint8Array(), only), { numRuns: 500 })
    const pieces = fc.constantFrom('{', '}', '[', ']', '"a"', '"\\"', ':', ',', '1', ' ', '\\')
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => only(parts.join(''))),
      { numRuns: 5000 },
    )
  })

  it('takes linear time: sixteen times the text, far less than 256 times as long', () => {
    const time = (names: number): number => {
      const text = `{${Array.from({ length: names }, (_, place) => `"n${place}":"x"`).join(',')}}`
      // The least of them: the machine has other things to do.
      return Math.min(
        ...Array.from({ length: 8 }, () => {
          const began = performance.now()
          readJson(text)
          return performance.now() - began
        }),
      )
    }
    time(2000)
    expect(time(32_000)).toBeLessThan(Math.max(time(2000), 0.2) * 128)
  })
})
