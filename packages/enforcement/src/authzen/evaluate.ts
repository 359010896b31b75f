import type { DecisionAnswer } from './answer.ts'
import { createAsk } from './ask.ts'
import { evaluationText, type EvaluationRequest } from './evaluation.ts'
import { createKeptAnswers, type Standing } from './kept-answers.ts'
import type { DecisionPointSettings } from './options.ts'

/** How something is asked. */
export interface EvaluateOptions {
  /**
   * What the ledger says of the session that the request is about: `enforcement.entriesFor(who)`. A
   * permit is kept with it, and given again only while it is the same. Default: it is not known
   * when a signal comes, and nothing is kept.
   */
  readonly standing?: Standing
  /** Ends the wait: then it rejects with its reason. */
  readonly signal?: AbortSignal
}

/** Asks for one decision. */
export type Evaluate = (
  request: EvaluationRequest,
  options?: EvaluateOptions,
) => Promise<DecisionAnswer>

/** Asks for several decisions. */
export type EvaluateAll = (
  requests: readonly EvaluationRequest[],
  options?: EvaluateOptions,
) => Promise<readonly DecisionAnswer[]>

/** Asks, and keeps what may be kept. */
export interface Evaluations {
  readonly evaluate: Evaluate
  readonly evaluateAll: EvaluateAll
  forget(): void
}

/** Makes what asks once for what is asked at once, or was permitted a moment ago. */
export function createEvaluations(settings: DecisionPointSettings): Evaluations {
  const kept = createKeptAnswers(settings.cacheMs, settings.clock)
  const ask = createAsk(settings)

  const answersTo = (
    texts: readonly string[],
    standing: Standing | undefined,
  ): Promise<DecisionAnswer[]> => {
    const found = new Map(texts.map((text) => [text, kept.find(text, standing)]))
    const missing = [...found.keys()].filter((text) => !found.get(text))
    const asked = ask.several(missing)
    for (const [place, text] of missing.entries()) {
      const answer = asked.then((answers) => answers[place] as DecisionAnswer)
      found.set(text, kept.put(text, standing, answer))
    }
    return Promise.all(texts.map((text) => found.get(text) as Promise<DecisionAnswer>))
  }

  return {
    evaluate: async (request, { standing, signal } = {}) => {
      const text = evaluationText(request)
      signal?.throwIfAborted()
      const answer = kept.find(text, standing) ?? kept.put(text, standing, ask.one(text))
      return unlessAborted(answer, signal)
    },
    evaluateAll: async (requests, { standing, signal } = {}) => {
      const texts = requests.map(evaluationText)
      signal?.throwIfAborted()
      return unlessAborted(answersTo(texts, standing), signal)
    },
    forget: kept.clear,
  }
}

/** Others may wait for the same answer: who gives up only stops to wait. */
async function unlessAborted<Result>(
  answer: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (!signal) return answer
  let giveUp = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    giveUp = () => reject(signal.reason)
  })
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    return await Promise.race([answer, aborted])
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}
