import type { OptionChecks } from '@drawbridge/core'

/** How many principals a Transmitter may end the sessions of in a time. */
export interface Budget {
  /** How many different ones at most: 1 or more. */
  readonly principals: number
  /** In how long, in seconds: a window that moves along. */
  readonly perSeconds: number
  /**
   * Which part of all principals at most, above 0 up to 1; at least one may always be ended. Needs
   * `population`. Default: `principals` alone counts.
   */
  readonly share?: number
  /**
   * How many principals there are. Asked at signals, and must not wait. What is no number, and what
   * it throws, means that nobody knows: then `principals` alone counts.
   */
  population?(): number
}

const members: readonly string[] = ['principals', 'perSeconds', 'share', 'population']

/**
 * Notes every mistake in a budget.
 *
 * @param name What the caller calls it
 */
export function checkBudget(budget: unknown, name: string, { check }: OptionChecks): void {
  if (budget === undefined) return
  if (typeof budget !== 'object' || budget === null) {
    check(false, `"${name}" must be an object: { principals, perSeconds }`)
    return
  }
  for (const member of Object.keys(budget)) {
    check(members.includes(member), `"${name}.${member}" is not an option`)
  }
  const { principals, perSeconds, share, population } = budget as Partial<Budget>
  check(
    Number.isSafeInteger(principals) && Number(principals) >= 1,
    `"${name}.principals" must be a whole number, 1 or more`,
  )
  check(
    Number.isFinite(perSeconds) && Number(perSeconds) >= 1,
    `"${name}.perSeconds" must be a number of seconds, 1 or more`,
  )
  check(
    share === undefined || (typeof share === 'number' && share > 0 && share <= 1),
    `"${name}.share" must be above 0, and 1 or less`,
  )
  check(
    population === undefined || typeof population === 'function',
    `"${name}.population" must be a function`,
  )
  check(
    (share === undefined) === (population === undefined),
    `"${name}.share" and "${name}.population" belong together: give both, or neither`,
  )
}
