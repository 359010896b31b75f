export { type Decision, type DecisionAnswer } from './answer.ts'
export {
  type CheckAccess,
  type DecidedAccess,
  type DecidingEnforcement,
  type DecisionCheckOptions,
} from './check-access.ts'
export { createDecisionPoint, type DecisionPoint } from './decision-point.ts'
export { type Evaluate, type EvaluateAll, type EvaluateOptions } from './evaluate.ts'
export {
  type EvaluationAction,
  type EvaluationEntity,
  type EvaluationRequest,
} from './evaluation.ts'
export { type Standing } from './kept-answers.ts'
export { type DecisionPointMetadata } from './metadata.ts'
export { readAcrValues, type DecisionPointOptions, type DeniedRequest } from './options.ts'
