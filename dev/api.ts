/** The HTTP API as seen with one key: answers as JSON, refusals as errors that say what the problem document says. */

export interface Api {
  get<Answer>(path: string): Promise<Answer>
  post<Answer>(path: string, body: unknown, idempotencyKey: string): Promise<Answer>
}

interface Problem {
  title?: string
  detail?: string
  errors?: readonly { pointer: string; message: string }[]
}

export function createApi(base: string, key: string, leaving: AbortSignal): Api {
  const ask = async <Answer>(path: string, init: RequestInit): Promise<Answer> => {
    const signal = AbortSignal.any([leaving, AbortSignal.timeout(30_000)])
    const answer = await fetch(base + path, { ...init, signal, headers: { authorization: `Bearer ${key}`, ...init.headers } })
    const body: unknown = await answer.json()
    if (!answer.ok) throw new Error(`${init.method ?? 'GET'} ${path} answered ${answer.status}: ${inWords(body as Problem)}`)
    return body as Answer
  }
  return {
    get: (path) => ask(path, {}),
    post: (path, body, idempotencyKey) =>
      ask(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey } }),
  }
}

const inWords = (problem: Problem): string =>
  [problem.detail ?? problem.title ?? 'no reason given', ...(problem.errors ?? []).map((e) => `${e.pointer} ${e.message}`)].join('; ')
