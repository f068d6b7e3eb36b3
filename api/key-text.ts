/** The text of an API key: random, known as ours by its beginning, and with a checksum, so that a mistyped one is told apart from an unknown one and scanners find one that got lost. */
import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

const beginning = 'tl_live_'
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** 62^32 is over 2^190. */
const randomLength = 32
const checksumLength = 6

export const newApiKey = (): string => {
  const random = randomText()
  return `${beginning}${random}${checksum(random)}`
}

/** What is shown of a key for good. */
export const prefixOf = (key: string): string => key.slice(0, beginning.length + 4)

/** False for what begins like a key of ours and cannot be one. */
export function mayBeApiKey(key: string): boolean {
  if (!key.startsWith(beginning)) return true
  const rest = key.slice(beginning.length)
  return rest.length === randomLength + checksumLength && rest.slice(randomLength) === checksum(rest.slice(0, randomLength))
}

/** Bytes above the last whole multiple of 62 are thrown away: every letter is as likely as the next. */
function randomText(): string {
  let text = ''
  while (text.length < randomLength) for (const byte of randomBytes(randomLength)) if (byte < 248 && text.length < randomLength) text += alphabet[byte % 62]
  return text
}

function checksum(text: string): string {
  let value = crc32(text)
  let digits = ''
  for (let i = 0; i < checksumLength; i++, value = Math.floor(value / 62)) digits = alphabet[value % 62]! + digits
  return digits
}
