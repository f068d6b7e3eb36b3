/** Checks the JSON bodies of control calls: a wrong one is answered by a 400 that says which field is wrong and what it should be. */

/** Reads one field; `undefined` when it was not given. */
export type Field<T> = (value: unknown, name: string) => T

export class ControlRefusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

type Fields = Record<string, Field<unknown>>
export type Checked<F extends Fields> = { [K in keyof F]: ReturnType<F[K]> }

/** Reads `body` field by field and refuses fields nobody asked for. @throws ControlRefusal 400 */
export function checkBody<F extends Fields>(body: unknown, fields: F): Checked<F> {
  const given: unknown = body ?? {}
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw new ControlRefusal(400, 'the body must be a JSON object')
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(fields, name))
  if (unknown !== undefined) throw new ControlRefusal(400, `${unknown}: unknown field; known are ${Object.keys(fields).join(', ')}`)
  const read = Object.entries(fields).map(([name, field]) => [name, field((given as Record<string, unknown>)[name], name)])
  return Object.fromEntries(read) as Checked<F>
}

export const required =
  <T>(field: Field<T | undefined>): Field<T> =>
  (value, name) => {
    if (value === undefined) throw new ControlRefusal(400, `${name}: missing`)
    return field(value, name) as T
  }

export const oneOf =
  <const T extends string>(choices: readonly T[]): Field<T | undefined> =>
  (value, name) => {
    if (value === undefined || choices.includes(value as T)) return value as T | undefined
    throw new ControlRefusal(400, `${name}: must be one of ${choices.join(', ')}`)
  }

export const wholeNumber =
  (max: number): Field<number | undefined> =>
  (value, name) => {
    if (value === undefined || (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max)) return value as number | undefined
    throw new ControlRefusal(400, `${name}: must be a whole number from 0 to ${max}`)
  }

export const yesOrNo: Field<boolean | undefined> = (value, name) => {
  if (value === undefined || typeof value === 'boolean') return value
  throw new ControlRefusal(400, `${name}: must be true or false`)
}

export const words: Field<string | undefined> = (value, name) => {
  if (value === undefined || (typeof value === 'string' && value.length > 0 && value.length <= 200)) return value
  throw new ControlRefusal(400, `${name}: must be a text of 1 to 200 characters`)
}
