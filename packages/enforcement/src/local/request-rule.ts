import { checkOptions, type OptionChecks } from '@drawbridge/core'
import { isComplex, subjectOf, type SubjectInput } from '@drawbridge/schema'
import { agentKey } from '../agent-key.ts'
import { isTenantWide } from '../authority/authority.ts'
import { effectMistakes, isScopeToken, type EffectWithTerms } from '../effect.ts'
import type { Who } from '../who.ts'

/** What a rule is asked about. */
export interface RequestToJudge {
  readonly who: Who
  /** The grants that the request needs, where it says so. */
  readonly requires?: readonly string[]
  readonly now: Date
  /** When this rule took something from the session, if it has and it was not given back. */
  readonly takenAt?: Date
}

/**
 * A rule that looks at requests and not at signals. What it takes, it takes on that very request,
 * and from then on in every process, until it is given back.
 */
export interface RequestRule {
  /** What kind of cause: `change-window`. */
  readonly cause: string
  /** What is taken. */
  readonly takes: EffectWithTerms
  /**
   * Judges a request that nothing else is in the way of, and one from which this rule took
   * something. Must not wait and must not throw: what it throws, `check` throws.
   */
  judge(request: RequestToJudge): 'take' | 'give-back' | undefined
}

/** A time in which a change may be carried out. */
export interface ChangeWindow {
  readonly from: Date
  readonly to: Date
}

/** The options of {@link changeWindow}. */
export type ChangeWindowOptions = EffectWithTerms & {
  /** The window that is approved for a session; undefined for a session that needs none. */
  windowOf(who: Who): ChangeWindow | undefined
  /** Default: `change-window`. */
  readonly cause?: string
}

/**
 * Makes a rule that takes from a session as soon as it asks for something outside its approved
 * window, and gives back when a window that begins later is open.
 *
 * @example
 *   const rule = changeWindow({
 *     windowOf: (who) => (who.kind === 'service' ? approvals.current(who) : undefined),
 *     effect: 'restrict',
 *     terms: { take: ['admin:write'] },
 *   })
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 */
export function changeWindow(options: ChangeWindowOptions): RequestRule {
  const { windowOf, cause = 'change-window', ...takes } = options
  checkRuleOptions('changeWindow', takes, ({ check }) => {
    check(typeof windowOf === 'function', '"windowOf" must be a function')
  })
  return {
    cause,
    takes,
    judge: ({ who, now, takenAt }) => {
      const window = windowOf(who)
      if (!window) return undefined
      // Written so that a date that is none is no open window.
      const isOpen = now >= window.from && now <= window.to
      if (!isOpen) return takenAt ? undefined : 'take'
      return takenAt && window.from > takenAt ? 'give-back' : undefined
    },
  }
}

/** The options of {@link dataBoundary}. */
export type DataBoundaryOptions = EffectWithTerms & {
  /** Grants behind the boundary. */
  readonly grants: readonly string[]
  /** Who may cross it. Default: nobody. */
  mayCross?(who: Who): boolean
  /** Default: `data-boundary`. */
  readonly cause?: string
}

/**
 * Makes a rule that takes from a session as soon as it asks for something behind a boundary. It is
 * given back by `giveBack` alone.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 */
export function dataBoundary(options: DataBoundaryOptions): RequestRule {
  const { grants, mayCross = () => false, cause = 'data-boundary', ...takes } = options
  checkRuleOptions('dataBoundary', takes, ({ check }) => {
    check(typeof mayCross === 'function', '"mayCross" must be a function')
    const isList = Array.isArray(grants) && grants.length > 0 && grants.every(isScopeToken)
    check(isList, '"grants" must be an array of grants: texts without spaces and quotes')
  })
  return {
    cause,
    takes,
    judge: ({ who, requires = [], takenAt }) => {
      if (takenAt || !requires.some((grant) => grants.includes(grant))) return undefined
      return mayCross(who) ? undefined : 'take'
    },
  }
}

function checkRuleOptions(
  name: string,
  takes: EffectWithTerms,
  checkOwn: (checks: OptionChecks) => void,
): void {
  const checks = checkOptions(name)
  checkOwn(checks)
  for (const mistake of effectMistakes(takes)) checks.check(false, mistake)
  checks.done()
}

/**
 * Whom a request rule takes from: the session, whichever of its tokens it shows; of one that acts
 * for somebody else, what another exchange does not change. Where the token alone tells it from
 * others, the token.
 */
export function ruledSubject(who: Who): SubjectInput {
  if (who.delegator) return agentKey(who)
  const subject = subjectOf(who.subject, 'who.subject')
  if (!isComplex(subject)) return subject
  const { token: _, ...rest } = subject as typeof subject & { readonly token?: unknown }
  return isTenantWide(rest) ? subject : rest
}
