/** Which addresses webhooks may go to, by table, and by what must hold for every address. */
import fc from 'fast-check'
import { parseNetwork, whyNotPublic } from '../../../domain/webhooks/addresses'
import { holds } from '../../support/property'

it.each([
  ['8.8.8.8', undefined],
  ['172.15.255.255', undefined],
  ['172.32.0.0', undefined],
  ['100.63.255.255', undefined],
  ['100.128.0.0', undefined],
  ['2606:4700::1111', undefined],
  ['2a00:1450:4001:82a::200e', undefined],
  ['::ffff:8.8.8.8', undefined],
  ['64:ff9b::808:808', undefined],
  ['2002:808:808::1', undefined],
  ['0.0.0.0', 'unspecified'],
  ['10.1.2.3', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.1.1', 'private'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['169.254.169.254', 'link-local'],
  ['168.63.129.16', 'metadata of a cloud'],
  ['100.100.100.200', 'shared by a carrier'],
  ['192.0.0.192', 'set apart for protocols'],
  ['198.19.255.255', 'for benchmarks'],
  ['224.0.0.1', 'multicast'],
  ['255.255.255.255', 'reserved'],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['fe80::1', 'link-local'],
  ['fd00:ec2::254', 'private'],
  ['fc00::1', 'private'],
  ['ff02::1', 'multicast'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:a00:1', 'private'],
  ['0:0:0:0:0:ffff:7f00:1', 'loopback'],
  ['::127.0.0.1', 'not a public network'],
  ['64:ff9b::7f00:1', 'loopback'],
  ['64:ff9b::10.0.0.1', 'private'],
  ['64:ff9b:1::808:808', 'not a public network'],
  ['2002:7f00:1::', 'loopback'],
  ['2002:a9fe:a9fe::1', 'link-local'],
  ['2001:0:808:808::', 'set apart for protocols'],
  ['2001:db8::1', 'for documentation'],
  ['3fff::1', 'for documentation'],
  ['fec0::1', 'not a public network'],
  ['4000::1', 'not a public network'],
  ['fe80::1%eth0', 'not an address'],
  ['1.2.3', 'not an address'],
  ['1.2.3.256', 'not an address'],
  ['0x7f.0.0.1', 'not an address'],
  ['1::2::3', 'not an address'],
  ['1:2:3:4:5:6:7:8:9', 'not an address'],
  ['::ffff:1.2.3', 'not an address'],
  ['localhost', 'not an address'],
  ['', 'not an address'],
])('%s: %s', (address, why) => {
  expect(whyNotPublic(address)).toBe(why)
})

it('lets through what a setting allows, in every form it can be written, and nothing beside it', () => {
  const allowed = [parseNetwork('10.1.0.0/16')!, parseNetwork('fd12::/32')!, parseNetwork('127.0.0.1')!]
  expect(['10.1.255.255', '::ffff:10.1.0.1', 'fd12:0:1::1', '127.0.0.1'].map((address) => whyNotPublic(address, allowed))).toEqual([undefined, undefined, undefined, undefined])
  expect(['10.2.0.0', 'fd13::1', '127.0.0.2'].map((address) => whyNotPublic(address, allowed))).toEqual(['private', 'private', 'loopback'])
})

it('reads networks, and says which text is none', () => {
  expect(['10.0.0.0/33', '10.0.0/8', 'fd00::/129', 'web', '10.0.0.0/', '/8'].map(parseNetwork)).toEqual(Array.from({ length: 6 }, () => undefined))
})

const v4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255))
const hex = (a: number, b: number): string => ((a << 8) + b).toString(16)

it('says the same of an IPv4 address whatever IPv6 address carries it', () => {
  holds(
    fc.property(v4, ([a, b, c, d]) => {
      const plain = whyNotPublic(`${a}.${b}.${c}.${d}`)
      const groups = `${hex(a, b)}:${hex(c, d)}`
      for (const carrier of [`::ffff:${groups}`, `::ffff:${a}.${b}.${c}.${d}`, `64:ff9b::${groups}`, `2002:${groups}::1`]) expect(whyNotPublic(carrier)).toBe(plain)
    }),
  )
})

it('lets no IPv6 address through that lies outside of 2000::/3 and carries none', () => {
  holds(
    fc.property(fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 }), (groups) => {
      fc.pre(groups[0]! >> 13 !== 1 && !(groups[0] === 0x64 && groups[1] === 0xff9b) && groups[5] !== 0xffff)
      expect(whyNotPublic(groups.map((group) => group.toString(16)).join(':'))).toBeDefined()
    }),
  )
})
