/** Where what others have named may be called, webhooks and channels alike: https and public addresses, unless a setting lets more through. Every address a name has is checked, and the connection uses the very addresses that were checked. */
import { lookup as resolve, type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { isAllowed, whyNotPublic, type Network } from '../../domain/webhooks/addresses'

export interface DestinationSettings {
  /** Networks that may be called although they are not public; to them, and nowhere else, without encryption as well. */
  allowed: readonly Network[]
}

/** Why an address is not called; its message may be shown to whoever named it. */
export class ForbiddenDestination extends Error {
  override name = 'ForbiddenDestination'
}

/** The shape of a URL that may be called. @throws ForbiddenDestination */
export function readDestination(text: string, { allowed }: DestinationSettings): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url) throw new ForbiddenDestination('is not a URL')
  if (url.protocol !== 'https:' && !(allowed.length > 0 && isPlain(url))) throw new ForbiddenDestination('must begin with https://')
  if (url.username || url.password) throw new ForbiddenDestination('must not hold a name or a password')
  if (url.hash) throw new ForbiddenDestination('must not hold a fragment')
  return url
}

export const isPlain = (url: URL): boolean => url.protocol === 'http:'

/** Asks for the addresses now, so that whoever names an address hears at once. @throws ForbiddenDestination */
export async function checkDestination(text: string, settings: DestinationSettings): Promise<void> {
  const url = readDestination(text, settings)
  const look = checkedLookup({ ...settings, plain: isPlain(url) })
  await new Promise<void>((done, fail) => look(hostOf(url), { all: true }, (error) => (error ? fail(asForbidden(error)) : done())))
}

const asForbidden = (error: Error): Error => (error instanceof ForbiddenDestination ? error : new ForbiddenDestination('has a name that has no address'))

/** `[::1]` → `::1`. */
const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '')

interface Rule extends DestinationSettings {
  /** Not encrypted. */
  plain: boolean
}

/** A literal address never gets to the lookup. @throws ForbiddenDestination */
export function checkLiteral(url: URL, { allowed }: DestinationSettings): void {
  const host = hostOf(url)
  const refused = isIP(host) ? forbidden(host, { allowed, plain: isPlain(url) }) : undefined
  if (refused) throw refused
}

function forbidden(address: string, { allowed, plain }: Rule): ForbiddenDestination | undefined {
  const why = whyNotPublic(address, allowed)
  if (why !== undefined) return new ForbiddenDestination(`leads to ${address}, which is ${why}`)
  return plain && !isAllowed(address, allowed) ? new ForbiddenDestination('must begin with https://') : undefined
}

/** In place of the usual lookup of a connection: refuses a name as soon as one of its addresses may not be called, and gives out what it has checked. */
export const checkedLookup =
  (rule: Rule, ask: typeof resolve = resolve): LookupFunction =>
  (host, options, callback) => {
    ask(host, { ...options, all: true }, (error: Error | null, found: LookupAddress[]) => {
      const refused = error ?? found.map(({ address }) => forbidden(address, rule)).find((no) => no !== undefined)
      if (refused) return callback(refused, [])
      if (options.all) return callback(null, found)
      const first = found[0]!
      callback(null, first.address, first.family)
    })
  }
