import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { invalidArgument, type StandardSchema } from './define-event-type.ts'
import { issueOf } from './event-type.ts'

/**
 * Makes a Standard Schema of a JSON Schema, for `defineEventType`. Needs `ajv`, which this subpath
 * alone imports, and compiles at run time: where code generation from strings is forbidden, give
 * `defineEventType` a function.
 *
 * The schema is read strictly, by draft 2020-12; keywords that nobody knows are refused. The
 * payload's type is the caller's word.
 *
 * @example
 *   const PaymentBlocked = defineEventType({
 *     uri: 'https://bank.example/event-type/payment-blocked',
 *     validate: jsonSchema<{ readonly amount: number }>({
 *       type: 'object',
 *       properties: { amount: { type: 'number' } },
 *       required: ['amount'],
 *     }),
 *   })
 *
 * @throws TypeError `ERR_INVALID_ARG_VALUE` when "schema" does not compile, or is asynchronous
 * @see JSON Schema, draft 2020-12
 */
export function jsonSchema<Payload extends object>(schema: object): StandardSchema<Payload> {
  const validate = compiled(schema)
  return {
    '~standard': {
      version: 1,
      vendor: 'drawbridge',
      validate: (value) =>
        validate(value)
          ? { value: value as Payload }
          : { issues: (validate.errors ?? []).map(issueOf) },
    },
  }
}

function compiled(schema: object): ValidateFunction {
  const ajv = new Ajv2020({ strict: true, unicode: false, logger: false, allErrors: true })
  try {
    const validate = ajv.compile(schema)
    // An asynchronous validator answers with a promise, which any payload would pass.
    if (!('$async' in validate)) return validate
  } catch (cause) {
    throw Object.assign(refused('"schema" must be a JSON Schema that compiles'), { cause })
  }
  throw refused('"schema" must be synchronous, without "$async"')
}

const refused = (mistake: string): TypeError => invalidArgument('jsonSchema', [mistake])
