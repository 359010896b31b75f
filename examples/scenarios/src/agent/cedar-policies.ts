// What the decision point decides by: policies in Cedar. A `forbid` stands above every `permit`, and
// the answer says which policy decided.
import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import type { Decide } from '../frame/agents.ts'

/** The policies by name. */
const staticPolicies = {
  'the-work-of-agents': `permit (
    principal is agent,
    action in [Action::"read_file", Action::"write_file"],
    resource
  );`,
  'payroll-boundary': 'forbid (principal is agent, action, resource in folder::"payroll");',
}

/** What a refusal by a policy says besides, for those who have rules for it. */
const boundaries: Readonly<Record<string, string>> = { 'payroll-boundary': 'payroll' }

/** Decides by {@link staticPolicies}. What is no answer is thrown: it must not pass for a decision. */
export const decide: Decide = ({ subject, action, resource, context = {} }) => {
  const [principal, asked] = [uidOf(subject), uidOf(resource)]
  const folder = { type: 'folder', id: resource.id.split('/', 1)[0] ?? '' }
  const answer = cedar.isAuthorized({
    principal,
    action: { type: 'Action', id: action.name },
    resource: asked,
    context: context as cedar.Context,
    policies: { staticPolicies },
    entities: [{ uid: asked, attrs: {}, parents: [folder] }],
  })
  if (answer.type === 'failure') throw new Error('the policies cannot be evaluated')
  const { decision, diagnostics } = answer.response
  if (decision === 'allow') return { decision: true }
  const boundary = diagnostics.reason.map((name) => boundaries[name]).find(Boolean)
  return { decision: false, ...(boundary !== undefined && { context: { boundary } }) }
}

const uidOf = ({ type, id }: { type: string; id: string }): cedar.TypeAndId => ({ type, id })
