/**
 * Which addresses may be called on behalf of somebody outside: public ones. Whoever names an endpoint must not be able to make us knock at doors of our own
 * network, so everything the registries of special-purpose addresses (IANA, RFC 6890) set apart is refused, and so are the forms that carry such an address inside another.
 */

/** An address as a number, and how many bits it has. */
interface Address {
  bits: 32 | 128
  value: bigint
}
/** Addresses that share their first `length` bits. */
export interface Network {
  first: Address
  length: number
}

/** @returns why `address` may not be called, or undefined. `allowed` are networks that may be called all the same. */
export function whyNotPublic(address: string, allowed: readonly Network[] = []): string | undefined {
  const read = parseAddress(address)
  if (!read) return 'not an address'
  const plain = unmapped(read)
  if (allowed.some((network) => contains(network, plain))) return undefined
  return plain.bits === 32 ? whyNotPublicV4(plain) : whyNotPublicV6(plain)
}

/** Whether a setting names it. */
export function isAllowed(address: string, allowed: readonly Network[]): boolean {
  const read = parseAddress(address)
  return read !== undefined && allowed.some((network) => contains(network, unmapped(read)))
}

const table = (...rows: readonly [network: string, is: string][]): { network: Network; is: string }[] => rows.map(([network, is]) => ({ network: parseNetwork(network)!, is }))

const specialV4 = table(
  ['0.0.0.0/8', 'unspecified'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'shared by a carrier'],
  ['127.0.0.0/8', 'loopback'],
  ['168.63.129.16/32', 'metadata of a cloud'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'set apart for protocols'],
  ['192.0.2.0/24', 'for documentation'],
  ['192.88.99.0/24', 'a relay of 6to4'],
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', 'for benchmarks'],
  ['198.51.100.0/24', 'for documentation'],
  ['203.0.113.0/24', 'for documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
)

/** Of what lies in 2000::/3; nothing outside of it is public. 2001::/23 holds Teredo, benchmarks and ORCHID. */
const specialV6 = table(['2001::/23', 'set apart for protocols'], ['2001:db8::/32', 'for documentation'], ['3fff::/20', 'for documentation'])

const whyNotPublicV4 = (address: Address): string | undefined => specialV4.find(({ network }) => contains(network, address))?.is

function whyNotPublicV6(address: Address): string | undefined {
  const carried = carriedV4(address)
  if (carried) return whyNotPublicV4(carried)
  if (address.value === 0n) return 'unspecified'
  if (address.value === 1n) return 'loopback'
  if (address.value >> 125n !== 1n) return notGlobal(address.value)
  return specialV6.find(({ network }) => contains(network, address))?.is
}

function notGlobal(value: bigint): string {
  if (value >> 120n === 0xffn) return 'multicast'
  if (value >> 121n === 0x7en) return 'private'
  if (value >> 118n === 0x3fan) return 'link-local'
  return 'not a public network'
}

/** ::ffff:a.b.c.d is a.b.c.d. */
const unmapped = (address: Address): Address => (address.bits === 128 && address.value >> 32n === 0xffffn ? v4(address.value) : address)

/** The address a translator or a tunnel would reach: NAT64 (64:ff9b::/96) and 6to4 (2002::/16). */
function carriedV4({ value }: Address): Address | undefined {
  if (value >> 32n === 0x64ff9bn << 64n) return v4(value)
  if (value >> 112n === 0x2002n) return v4(value >> 80n)
  return undefined
}
const v4 = (value: bigint): Address => ({ bits: 32, value: value & 0xffffffffn })

const contains = ({ first, length }: Network, address: Address): boolean =>
  first.bits === address.bits && first.value >> BigInt(first.bits - length) === address.value >> BigInt(first.bits - length)

/** `10.0.0.0/8`, `fd00::/8`, or one address. @returns undefined for what is none. */
export function parseNetwork(text: string): Network | undefined {
  const [, address, length] = /^([^/]+?)(?:\/(\d{1,3}))?$/.exec(text.trim()) ?? []
  const first = address === undefined ? undefined : parseAddress(address)
  if (!first) return undefined
  const bits = length === undefined ? first.bits : Number(length)
  return bits <= first.bits ? { first, length: bits } : undefined
}

function parseAddress(text: string): Address | undefined {
  return parseV4(text) ?? parseV6(text)
}

function parseV4(text: string): Address | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined
  const parts = text.split('.').map(Number)
  return parts.every((part) => part <= 255) ? { bits: 32, value: parts.reduce((sum, part) => (sum << 8n) + BigInt(part), 0n) } : undefined
}

function parseV6(text: string): Address | undefined {
  const halves = withHexTail(text)?.split('::')
  if (!halves || halves.length > 2) return undefined
  const [before, after] = halves.map((half) => (half === '' ? [] : half.split(':')))
  if (before === undefined) return undefined
  const missing = 8 - before.length - (after?.length ?? 0)
  if (after === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = [...before, ...Array.from({ length: missing }, () => '0'), ...(after ?? [])]
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  return { bits: 128, value: groups.reduce((sum, group) => (sum << 16n) + BigInt(`0x${group}`), 0n) }
}

/** `::ffff:10.0.0.1` → `::ffff:a00:1`. */
function withHexTail(text: string): string | undefined {
  const [, head, tail] = /^(.*:)([\d.]+\.[\d.]*)$/.exec(text) ?? []
  if (head === undefined) return text
  const end = parseV4(tail!)
  return end && `${head}${(end.value >> 16n).toString(16)}:${(end.value & 0xffffn).toString(16)}`
}
