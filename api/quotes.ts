/** A quote is a signed token that holds all of itself: any api process can read it, and giving one writes nothing. */
import { createSecretKey } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { errors, jwtVerify, SignJWT } from 'jose'
import { uuidv7 } from 'uuidv7'
import type { PlannedShipment } from '../domain/sourcing/decision'
import { refuse } from '../domain/refusals'

export interface Quote {
  /** Of the quote itself: it is used once. */
  id: string
  channel: string
  destination: { country: string; postalCode: string; latitude?: number; longitude?: number }
  lines: readonly { sku: string; quantity: number }[]
  sourceNodeId?: string
  options: readonly QuotedOption[]
}
export interface QuotedOption {
  optionId: string
  method: string
  /** Where it is fetched, or the store from which it is sent. */
  nodeId?: string
  service: string
  priceMinor: number
  promisedFrom: string
  promisedBy: string
  confidence: number
  shipments: readonly PlannedShipment[]
}

export interface Quotes {
  /** @returns the token, which is the quote's id for everybody else. */
  give(quote: Omit<Quote, 'id'>, expiresAt: Date): Promise<string>
  /** @throws `quote.unknown` when it is none of ours, `quote.expired` */
  read(token: string): Promise<Quote & { expiresAt: string }>
}

const algorithm = 'HS256'

export function createQuotes(secret: string): Quotes {
  const key = createSecretKey(Buffer.from(secret))
  return {
    give: (quote, expiresAt) => new SignJWT(packed(quote)).setProtectedHeader({ alg: algorithm }).setJti(uuidv7()).setExpirationTime(expiresAt).sign(key),
    async read(token) {
      try {
        const { payload } = await jwtVerify<Packed>(token, key, { algorithms: [algorithm], requiredClaims: ['jti', 'exp'] })
        return { ...unpacked(payload), id: payload.jti!, expiresAt: new Date(payload.exp! * 1000).toISOString() }
      } catch (cause) {
        if (cause instanceof errors.JWTExpired) throw refuse('quote.expired', { expiredAt: new Date(Number(cause.payload.exp) * 1000).toISOString() })
        if (cause instanceof errors.JOSEError) throw refuse('quote.unknown')
        throw cause
      }
    },
  }
}

type Packed = { quote: Omit<Quote, 'id'> } | { zipped: string }

/** Quotes travel in a path, which must not grow with every line: long ones are compressed. */
const longestPlain = 1_500

function packed(quote: Omit<Quote, 'id'>): Packed {
  const text = JSON.stringify(quote)
  return text.length <= longestPlain ? { quote } : { zipped: deflateRawSync(text).toString('base64url') }
}

/** The signature has been checked: only what we packed is unpacked. */
const unpacked = (claims: Packed): Omit<Quote, 'id'> =>
  'quote' in claims ? claims.quote : (JSON.parse(inflateRawSync(Buffer.from(claims.zipped, 'base64url')).toString()) as Omit<Quote, 'id'>)
