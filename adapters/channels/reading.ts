/** How bodies of channels are read: words that a database can hold and a label can show, amounts to the last digit, and ids longer than a double. Every adapter reads with these. */
import { z } from 'zod'
import { currencyDigits, parseMinor, type Currency } from '../../domain/money'
import { isDeeper } from '../../domain/nesting'
import type { RefusalCode, RefusalDetail } from '../../domain/refusals'

/** A body that is not JSON, or nested deeper than any order and than PostgreSQL follows, is kept as the text it is. */
export function readJson(rawBody: Buffer): unknown {
  const text = rawBody.toString('utf8')
  try {
    const body = JSON.parse(text) as unknown
    return isDeeper(body) ? text : body
  } catch {
    return text
  }
}

/** The same, with whole numbers beyond what a double can hold as text, digit by digit: for bodies that name an order by nothing else. */
export const readLongNumbers = (rawBody: Buffer): unknown =>
  readJson(Buffer.from(rawBody.toString('utf8').replace(stringsAndLongNumbers, (found) => (found.startsWith('"') ? found : `"${found}"`))))
const stringsAndLongNumbers = /"(?:[^"\\]|\\.)*"|(?<![\w.+-])-?\d{16,}(?![\w.+-])/g

/** Well-formed, without control characters, and no longer than a line. Nothing left of it is the same as not given. */
export function clean(text: string | null | undefined): string | undefined {
  const kept = text
    ?.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
    // eslint-disable-next-line no-control-regex -- control characters are what is taken out
    .replace(/[\u0000-\u001f\u007f]+/g, ' ')
    .trim()
  if (kept === undefined || kept === '') return undefined
  return kept.length <= longest ? kept : [...kept].slice(0, longest).join('')
}
const longest = 200

export const words = z.string().nullish().transform(clean)
export const decimal = z.string().max(40).regex(/^-?\d+(\.\d+)?$/, 'Must be a decimal amount')

/** Channels leave out what is empty, or send null for it. */
export const list = <T extends z.ZodType>(item: T, most: number) => z.array(item).max(most).nullish().transform((items) => items ?? [])
export const flag = (otherwise: boolean) => z.boolean().nullish().transform((given) => given ?? otherwise)

/** A position that is nowhere on earth is not one; the order can do without. */
export const degrees = (most: number) => z.number().nullish().transform((given) => (given != null && Math.abs(given) <= most ? given : undefined))

const [earliest, latest] = [Date.UTC(1970, 0, 1), Date.UTC(9999, 0, 1)]
export const instant = z.iso
  .datetime({ offset: true })
  .refine((value) => Date.parse(value) >= earliest && Date.parse(value) < latest, 'Must be an instant after 1970')

/** What one amount may be at most, as in the order document of our own api. */
const mostMinor = 1_000_000_000_000

/** Minor units; digits finer than the currency's are cut off (and named by `amountProblem`). NaN when it is too large to be a number of ours. */
export const minorOf = (text: string, currency: Currency): number => {
  const minor = parseMinor(cut(text, currencyDigits[currency]), currency)
  return minor === undefined || Math.abs(minor) > mostMinor ? Number.NaN : minor
}

/** An amount below zero, too large, or finer than the currency's minor unit would be changed on its way in; it is named instead. */
export function amountProblem(text: string, currency: Currency): string | undefined {
  if (text.startsWith('-') && /[1-9]/.test(text)) return `${text} is below zero`
  if (cut(text, currencyDigits[currency]) !== text && parseMinor(text, currency) === undefined) return `${text} is finer than the minor unit of ${currency}`
  return Number.isNaN(minorOf(text, currency)) ? `${text} is too large` : undefined
}

function cut(text: string, digits: number): string {
  const point = text.indexOf('.')
  return point < 0 ? text : text.slice(0, digits === 0 ? point : point + 1 + digits)
}

export const reason = (code: RefusalCode, pointer: string, message: string): RefusalDetail => ({ code, pointer, message })

export const schemaReasons = (error: z.ZodError): RefusalDetail[] =>
  error.issues.map((issue) => reason('request.invalid', issue.path.map((part) => `/${String(part)}`).join(''), issue.message))

/** What is not there is left out. */
export const without = <T extends object>(record: T): T => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T

/** Said where a line names no SKU; none can be called so. */
export const noSku = '(none)'
