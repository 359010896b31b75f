import { describe, expect, it } from '@jest/globals'
import {
  checkPayload,
  defineEventType,
  isComplex,
  opaque,
  type PayloadOf,
  type StandardResult,
  type StandardSchema,
  type Subject,
  type Validation,
} from '@drawbridge/schema'
import { setErrorOf, thrownBy } from './support.ts'

const uri = 'https://bank.example/event-type/payment-blocked'

interface Payment {
  readonly amount: number
}

/** A Standard Schema that says what it is told to. */
const schemaOf = <Output>(
  validate: (value: unknown) => StandardResult<Output> | PromiseLike<StandardResult<Output>>,
): StandardSchema<Output> => ({ '~standard': { version: 1, vendor: 'test', validate } })

const amountOf = (value: unknown): unknown => (value as Partial<Payment> | null)?.amount
const payment = (value: unknown): StandardResult<Payment> =>
  typeof amountOf(value) === 'number'
    ? { value: value as Payment }
    : { issues: [{ message: 'expected a number', path: ['amount'] }] }

describe('defineEventType', () => {
  it('makes an event type of a Standard Schema, with its payload type', () => {
    const type = defineEventType({ uri, validate: schemaOf(payment) })
    const typed: PayloadOf<typeof type> = { amount: 7 }
    const literal: 'https://bank.example/event-type/payment-blocked' = type.uri
    expect(checkPayload(type, typed).amount).toBe(7)
    expect(type).toMatchObject({ uri: literal, name: 'payment-blocked', members: [] })
    expect(type.subjects).toEqual({ principals: [] })
    expect(type.validate({})).toEqual({
      issues: [{ message: 'expected a number', path: ['amount'] }],
    })
    expect(setErrorOf(() => checkPayload(type, {})).message).toBe(
      'the payload of "payment-blocked" does not fit its definition: "amount": expected a number',
    )
  })

  it('takes a schema that is a function, and does not call it', () => {
    const callable = Object.assign((): never => {
      throw new Error('called')
    }, schemaOf(payment))
    const type = defineEventType({ uri, validate: callable })
    expect(type.validate({ amount: 7 })).toEqual({ value: { amount: 7 } })
  })

  it('calls the validator of a schema on the schema', () => {
    const schema = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        limit: 10,
        validate(value: unknown): StandardResult<Payment> {
          return Number(amountOf(value)) < this.limit
            ? { value: value as Payment }
            : { issues: [{ message: 'too much' }] }
        },
      },
    }
    const type = defineEventType({ uri, validate: schema })
    expect(type.validate({ amount: 7 }).issues).toBeUndefined()
    expect(type.validate({ amount: 70 }).issues).toEqual([{ message: 'too much', path: [] }])
  })

  it('takes a function, a name and whom it is about', () => {
    const validate = (value: unknown): Validation<Payment> => ({ value: value as Payment })
    const subjects = { principals: ['user'], formats: ['email'] }
    const type = defineEventType({ uri, validate, name: 'blocked', subjects })
    expect(type).toMatchObject({ name: 'blocked', subjects })
    expect(checkPayload(type, { amount: 7 }).amount).toBe(7)
  })

  it('SSF-3.1.3-1: a type can have further Subject Members in its event object', () => {
    const type = defineEventType({
      uri: 'https://bank.example/event-type/transfer',
      validate: (value): Validation<{ readonly transferee: Subject }> => ({
        value: value as { transferee: Subject },
      }),
    })
    const { transferee } = checkPayload(type, { transferee: opaque('t1') })
    expect(isComplex(transferee)).toBe(false)
  })

  it('maps the paths of issues to strings and bounds their texts', () => {
    const issues = [{ message: 'x'.repeat(300), path: ['a', 0, { key: 'b' }, { key: 1 }] }]
    const type = defineEventType({ uri, validate: schemaOf<Payment>(() => ({ issues })) })
    expect(type.validate({})).toEqual({
      issues: [{ message: 'x'.repeat(200), path: ['a', '0', 'b', '1'] }],
    })
  })
})

describe('what defineEventType refuses', () => {
  const refusal = (definition: object): unknown =>
    thrownBy(() => defineEventType(definition as Parameters<typeof defineEventType>[0]))

  it('every mistake, by its name, together', () => {
    const error = refusal({ uri: 'payment-blocked', validate: 'yes' })
    expect(error).toMatchObject({
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_VALUE',
      message:
        'defineEventType: "uri" must be a URI; ' +
        '"validate" must be a Standard Schema, version 1, or a function',
      mistakes: [expect.stringContaining('"uri"'), expect.stringContaining('"validate"')],
    })
  })

  it.each([undefined, null, 7, {}, { '~standard': { version: 2, validate: payment } }])(
    'a validator that is none: %j',
    (validate) => {
      expect(refusal({ uri, validate })).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    },
  )

  it.each([undefined, 7, '', 'no uri', new URL(uri)])('a URI that is none: %j', (wrong) => {
    const message = 'defineEventType: "uri" must be a URI'
    expect(refusal({ uri: wrong, validate: payment })).toMatchObject({ message })
  })

  it('an asynchronous schema, without leaving a rejection behind', async () => {
    const message = 'defineEventType: "validate" must answer at once: it returned a promise'
    const validators = [() => Promise.resolve(payment({})), () => Promise.reject(new Error('lost'))]
    for (const validate of validators) {
      expect(refusal({ uri, validate })).toMatchObject({ message, code: 'ERR_INVALID_ARG_VALUE' })
      expect(refusal({ uri, validate: schemaOf(validate) })).toMatchObject({ message })
    }
    // A rejection that nobody handles would end the test run.
    await new Promise((resolve) => setImmediate(resolve))
  })

  it('a schema that turns out to be asynchronous when it is used', () => {
    const late = (value: unknown) =>
      amountOf(value) === undefined ? payment(value) : Promise.resolve(payment(value))
    const type = defineEventType({ uri, validate: schemaOf(late) })
    expect(thrownBy(() => type.validate({ amount: 7 }))).toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
      message: 'defineEventType: "validate" must answer at once: it returned a promise',
    })
  })

  it('an answer that is none', () => {
    for (const answer of [undefined, null, true, {}]) {
      const validate = (): Validation<Payment> => answer as never
      const type = defineEventType({ uri, validate })
      expect(thrownBy(() => type.validate({}))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    }
  })

  it('but not a validator that throws for "{}": what it throws later is passed on', () => {
    const validate = (value: unknown): Validation<Payment> => {
      if (amountOf(value) === undefined) throw new Error('no amount')
      return { value: value as Payment }
    }
    const type = defineEventType({ uri, validate })
    expect(type.validate({ amount: 7 })).toEqual({ value: { amount: 7 } })
    expect(thrownBy(() => type.validate({}))).toMatchObject({ message: 'no amount' })
  })
})
