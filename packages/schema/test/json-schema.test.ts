import { describe, expect, it } from '@jest/globals'
import { checkPayload, defineEventType, type PayloadOf } from '@drawbridge/schema'
import { jsonSchema } from '@drawbridge/schema/json-schema'
import { thrownBy } from './support.ts'

const uri = 'https://bank.example/event-type/payment-blocked'
const schema = {
  type: 'object',
  properties: { amount: { type: 'number' }, currency: { type: 'string', minLength: 3 } },
  required: ['amount', 'currency'],
}

describe('jsonSchema', () => {
  const type = defineEventType({
    uri,
    validate: jsonSchema<{ readonly amount: number; readonly currency: string }>(schema),
  })

  it('gives defineEventType a schema that types the payload', () => {
    const payload: PayloadOf<typeof type> = { amount: 7, currency: 'EUR' }
    expect(checkPayload(type, payload)).toBe(payload)
  })

  it('names every member that does not fit, in our words', () => {
    expect(type.validate({})).toEqual({
      issues: [
        { message: '"amount" is missing', path: [] },
        { message: '"currency" is missing', path: [] },
      ],
    })
    expect(type.validate({ amount: '7', currency: 'EUR' })).toEqual({
      issues: [{ message: '"amount" must be number', path: ['amount'] }],
    })
  })

  it('says no name that a peer chose', () => {
    const open = { type: 'object', additionalProperties: { type: 'number' } }
    const any = defineEventType({ uri, validate: jsonSchema(open) })
    const [issue] = any.validate({ 'a "name" of theirs': 'x' }).issues ?? []
    expect(issue?.message).toBe('a member must be number')
  })

  it('counts code units, so that no length costs more than it says', () => {
    // One sign outside the basic plane is two code units.
    expect(type.validate({ amount: 7, currency: '\u{1F600}A' }).issues).toBeUndefined()
  })

  it.each([
    ['is no JSON Schema', { type: 'objekt' }],
    ['has a keyword that nobody knows', { type: 'object', propertys: {} }],
    ['refers to nothing', { $ref: 'https://bank.example/missing' }],
    ['is no object', 'object'],
  ])('refuses a schema that %s', (_what, wrong) => {
    const error = thrownBy(() => jsonSchema(wrong as object))
    expect(error).toMatchObject({
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_VALUE',
      message: 'jsonSchema: "schema" must be a JSON Schema that compiles',
    })
    expect((error as TypeError).cause).toHaveProperty('message')
  })

  it('refuses an asynchronous schema, whose promise any payload would pass', () => {
    const error = thrownBy(() => jsonSchema({ ...schema, $async: true }))
    expect(error).toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
      message: 'jsonSchema: "schema" must be synchronous, without "$async"',
    })
  })
})
