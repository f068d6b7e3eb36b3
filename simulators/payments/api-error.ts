/** Errors in the provider's own format: `{error: {type, code, message, param, …}}` with the status its client expects. */

export interface ApiErrorFields {
  type: 'invalid_request_error' | 'card_error' | 'idempotency_error' | 'api_error'
  message: string
  code?: string
  param?: string
  decline_code?: string
  charge?: string
  payment_intent?: object
  payment_method?: object
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly fields: ApiErrorFields,
  ) {
    super(fields.message)
  }

  /** The body of the answer. */
  get body(): object {
    const { code } = this.fields
    return { error: { ...this.fields, ...(code ? { doc_url: `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}` } : {}) } }
  }
}

/** 400: a parameter is missing, unknown or wrong. */
export const invalidRequest = (message: string, more: { code?: string; param?: string; payment_intent?: object; charge?: string } = {}): ApiError =>
  new ApiError(400, { type: 'invalid_request_error', message, ...more })

/** 404: the id in the path is unknown. */
export const resourceMissing = (noun: string, id: string, param = 'intent'): ApiError =>
  new ApiError(404, { type: 'invalid_request_error', code: 'resource_missing', message: `No such ${noun}: '${id}'`, param })

/** 400 `payment_intent_unexpected_state`, with the intent inside as the real provider sends it. */
export const unexpectedState = (message: string, intent: object): ApiError =>
  invalidRequest(message, { code: 'payment_intent_unexpected_state', payment_intent: intent })

/** What a 500 of the provider says. */
export const internalError = (): ApiError =>
  new ApiError(500, { type: 'api_error', message: 'An unknown error occurred while processing this request' })
