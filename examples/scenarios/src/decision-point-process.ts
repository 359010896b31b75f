// The decision point: an endpoint of the OpenID Authorization API. It knows nothing of sessions; what
// its answers mean to them, the gateway's rule says.
import { jsonResponse, readBody, type Body, type FetchHandler } from '@drawbridge/core'
import { toNode } from '@drawbridge/core/node'
import type { EvaluationRequest } from '@drawbridge/enforcement/authzen'
import { isObject } from '@drawbridge/schema'
import { scenarios } from './all.ts'
import type { Decide } from './frame/agents.ts'
import { serve } from './frame/serve.ts'

const evaluationPath = '/access/v1/evaluation'
const longestRequestBytes = 65_536

await serve(async (origin, settings) => {
  const decide = await scenarios[settings.scenario]?.agents?.decider()
  if (!decide) throw new Error('this scenario has nothing to decide')
  return {
    listener: toNode(createEndpoint(origin, decide)),
    acts: {},
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  }
})

/** @see OpenID Authorization API 1.0, "HTTPS Binding"; "Policy Decision Point Metadata" */
function createEndpoint(origin: string, decide: Decide): FetchHandler {
  const metadata = {
    policy_decision_point: origin,
    access_evaluation_endpoint: `${origin}${evaluationPath}`,
  }
  return {
    serves: () => true,
    fetch: async (request) => {
      const id = request.headers.get('x-request-id')
      const headers: Readonly<Record<string, string>> = id === null ? {} : { 'x-request-id': id }
      const { pathname } = new URL(request.url)
      if (pathname === '/.well-known/authzen-configuration') {
        return jsonResponse(200, metadata, headers)
      }
      if (pathname !== evaluationPath || request.method !== 'POST') {
        return jsonResponse(404, 'there is nothing here', headers)
      }
      const asked = readEvaluation(await readBody(request, longestRequestBytes))
      if (!asked) return jsonResponse(400, 'this is no evaluation request', headers)
      return jsonResponse(200, decide(asked), headers)
    },
  }
}

function readEvaluation(body: Body): EvaluationRequest | undefined {
  if (body.refused) return undefined
  try {
    const value: unknown = JSON.parse(body.text)
    return isEvaluation(value) ? value : undefined
  } catch {
    return undefined
  }
}

const isEvaluation = (value: unknown): value is EvaluationRequest =>
  isObject(value) &&
  isEntity(value['subject']) &&
  isEntity(value['resource']) &&
  isObject(value['action']) &&
  isText(value['action']['name'])

const isEntity = (value: unknown): boolean =>
  isObject(value) && isText(value['type']) && isText(value['id'])

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
