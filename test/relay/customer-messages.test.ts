/** Customers are told once, in the words of their channel, by a mail server that may be away, say no, or hang up at the worst moment. */
import type { AddressInfo } from 'node:net'
import pino from 'pino'
import { SMTPServer } from 'smtp-server'
import { connectMailer } from '../../adapters/smtp/mailer'
import { closeOrder } from '../../db/steps/close-order'
import { startCustomerMessages } from '../../relay/customer-messages'
import { openEdge, type Edge, type Reply } from '../api/edge'
import { eventually, orderOf } from '../support/people'

let edge: Edge
let server: SMTPServer
/** Every message the server took, as it came over the wire. */
let mails: string[] = []
/** How often somebody began to hand over a message. */
let begun = 0
let answer: 'yes' | 'busy' | 'no' | 'hangs up' = 'yes'
let stop: () => Promise<void>

beforeAll(async () => {
  edge = await openEdge()
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, _session, done) {
      begun += 1
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const mail = Buffer.concat(chunks).toString()
        if (answer === 'hangs up') {
          mails.push(mail) // it has the message, and nobody hears so
          server.connections.forEach((connection) => (connection as unknown as { _socket: { destroy(): void } })._socket.destroy())
          return
        }
        if (answer === 'yes') mails.push(mail)
        const code = answer === 'busy' ? 451 : 554
        done(answer === 'yes' ? null : Object.assign(new Error('not now'), { responseCode: code }))
      })
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.server.address() as AddressInfo
  const mailer = connectMailer({ url: `smtp://127.0.0.1:${port}`, from: 'Shop <orders@shop.example>', timeoutMs: 2_000 })
  const relay = startCustomerMessages({ db: edge.db, send: mailer.send, log: pino({ enabled: false }), contactSecret: 'test-secret', idleMs: 20, leaseMs: 5_000 })
  stop = () => relay.stop().then(() => mailer.close())
  await eventually(() => edge.db('message_cursor').first(), (cursor) => cursor !== undefined)
})
afterAll(async () => {
  await stop()
  await new Promise<void>((resolve) => server.close(() => resolve()))
  await edge.close()
})
beforeEach(() => {
  mails = []
  begun = 0
  answer = 'yes'
})

const place = async (customer: object = {}, shipTo: object = {}): Promise<string> => {
  const order = orderOf({ claim: 'later' })
  const { body } = await edge.post('/v1/orders', { ...order, customer: { ...(order.customer as object), ...customer }, shipTo: { ...(order.shipTo as object), ...shipTo } })
  return String(body.orderId)
}
const happens = (orderId: string, type: string, data: object, at = new Date()): Promise<unknown> =>
  edge.db('order_events').insert({ order_id: orderId, channel: 'web', type, actor: 'test', data: JSON.stringify(data), at })
const messages = async (orderId: string): Promise<Record<string, unknown>[]> => (await edge.get(`/v1/orders/${orderId}/messages`)).body.items as Record<string, unknown>[]
const settled = (orderId: string, count = 1): Promise<Record<string, unknown>[]> =>
  eventually(() => messages(orderId), (all) => all.length === count && all.every(({ status }) => status !== 'queued' && status !== 'sending'), { what: `${count} messages settled`, timeoutMs: 8_000 })
const plain = (mail: string): string => mail.replaceAll('=\r\n', '').replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))

it('confirms an order in the language of whoever gets it, and leaves the words out of the row', async () => {
  const german = await place()
  expect(await settled(german)).toMatchObject([{ kind: 'confirmation', status: 'sent', language: 'de', templateVersion: 0, attempts: 1 }])
  expect(mails[0]).toMatch(/^To: customer@example\.com\r$/m)
  expect(mails[0]).toMatch(/^Subject: Ihre Bestellung /m)
  const english = await place({}, { country: 'NL' })
  expect(await settled(english)).toMatchObject([{ language: 'en' }])
  expect(plain(mails[1]!)).toContain('Hello Customer,')
  expect(JSON.stringify(await edge.db('customer_messages'))).not.toMatch(/example\.com|Customer/)
})

it('shows what a customer calls herself as text, whatever it is', async () => {
  await settled(await place({ name: '<b>Eve</b>' }))
  expect(plain(mails[0]!)).toContain('&lt;b&gt;Eve&lt;/b&gt;')
})

it('tells of every occasion, each once, however often the log is read', async () => {
  const orderId = await place()
  await happens(orderId, 'fulfillment.ready', { fulfillmentId: 'f', nodeId: 'n', pickupBy: '2026-12-01T12:00:00Z' })
  await happens(orderId, 'promise.renewed', { promisedBy: '2026-12-03T17:00:00Z' })
  await happens(orderId, 'shipment.out_for_delivery', { trackingNumber: 'SW1' })
  await happens(orderId, 'shipment.delivered', { trackingNumber: 'SW1' })
  await happens(orderId, 'payment.refunded', { amountMinor: 500, currency: 'EUR' })
  const kinds = ['confirmation', 'ready_for_pickup', 'delay', 'out_for_delivery', 'delivered', 'refund']
  expect((await settled(orderId, 6)).map(({ kind, status }) => [kind, status])).toEqual(kinds.map((kind) => [kind, 'sent']))
  expect(plain(mails.find((mail) => mail.includes('Erstattung'))!)).toContain('5.00 EUR')
  await edge.db('message_cursor').update({ xid: '0', seq: 0 })
  await happens(orderId, 'shipment.delivered', { trackingNumber: 'SW2' })
  await settled(orderId, 7)
  expect(mails).toHaveLength(7)
})

it('tries again what was surely not taken, and gives up what is refused for good, with a case for support', async () => {
  answer = 'busy'
  const orderId = await place()
  await eventually(() => messages(orderId), ([m]) => m?.status === 'queued' && m.attempts === 1)
  answer = 'yes'
  await edge.db('customer_messages').where({ order_id: orderId }).update({ next_attempt_at: edge.db.fn.now() })
  expect(await settled(orderId)).toMatchObject([{ status: 'sent', attempts: 2 }])
  answer = 'no'
  const refused = await place()
  expect(await settled(refused)).toMatchObject([{ status: 'failed', attempts: 1 }])
  expect((await edge.get(`/v1/exceptions?orderId=${refused}&kind=message.not_sent`)).body.items).toMatchObject([{ owner: 'support' }])
})

it.each(['completed', 'cancelled'] as const)('has support tell a customer by other means also after her order is %s', async (status) => {
  answer = 'no'
  const orderId = await place()
  await settled(orderId)
  await edge.db.transaction((tx) => closeOrder(tx, { orderId, status }))
  const open = async (): Promise<{ exceptionId: string }[]> => (await edge.get(`/v1/exceptions?orderId=${orderId}`)).body.items as { exceptionId: string }[]
  const items = await open()
  expect(items).toMatchObject([{ kind: 'message.not_sent', owner: 'support', status: 'open' }])
  expect(await edge.post(`/v1/exceptions/${items[0]!.exceptionId}/resolve`, { resolution: 'called her' })).toMatchObject({ status: 200 })
  expect(await open()).toEqual([])
})

it('sends nothing twice that may have been taken: an answer that was lost is a case', async () => {
  answer = 'hangs up'
  const orderId = await place()
  expect(await settled(orderId)).toMatchObject([{ status: 'unknown', attempts: 1 }])
  answer = 'yes'
  await settled(await place())
  expect([begun, mails.length]).toEqual([2, 2])
  expect((await edge.get(`/v1/exceptions?orderId=${orderId}&kind=message.not_sent`)).body.items).toHaveLength(1)
})

it('knows that a server which is not there has nothing', async () => {
  const nobody = connectMailer({ url: 'smtp://127.0.0.1:9', from: 'orders@shop.example', timeoutMs: 500 })
  const outcome = await nobody.send({ messageId: '<1@test>', to: 'customer@example.com', subject: 's', text: 't', html: 'h' })
  expect(outcome).toMatchObject({ is: 'not_accepted', error: expect.stringContaining('ECONNREFUSED') })
  nobody.close()
})

it('sends nothing twice that a killed process was sending', async () => {
  answer = 'busy'
  const orderId = await place()
  await eventually(() => messages(orderId), ([m]) => m?.status === 'queued' && m.attempts === 1)
  answer = 'yes'
  await edge.db('customer_messages').where({ order_id: orderId }).update({ status: 'sending', next_attempt_at: edge.db.fn.now() })
  expect(await settled(orderId)).toMatchObject([{ status: 'unknown', reason: 'interrupted while it was sent' }])
  expect(mails).toHaveLength(0)
})

it('writes to nobody who does not want it, has no address, or for whom it is no news any more', async () => {
  const optOut = (optedOut: boolean): Promise<Reply> => edge.post('/v1/message-opt-outs', { channel: 'web', email: 'Quiet@Example.com', optedOut })
  expect((await optOut(true)).status).toBe(200)
  const quiet = await place({ email: 'quiet@example.com' })
  expect(await settled(quiet)).toMatchObject([{ status: 'suppressed', reason: 'the customer does not want to be written to' }])
  expect(await settled(await place({ email: undefined }))).toMatchObject([{ reason: 'there is no address' }])
  await happens(quiet, 'shipment.delivered', {}, new Date(Date.now() - 2 * 86_400_000))
  expect((await settled(quiet, 2))[1]).toMatchObject({ status: 'suppressed' })
  expect(mails).toHaveLength(0)
  await optOut(false)
  await settled(await place({ email: 'quiet@example.com' }))
  expect(mails).toHaveLength(1)
})

it('speaks in the channel’s own words, by version, and takes none it cannot fill in', async () => {
  const path = '/v1/channels/web/message-templates'
  const bad = await edge.post(path, { kind: 'refund', language: 'de', subject: 'Hi {{nickname}}', text: '{{trackingNumber}} }}' })
  expect(bad.body).toMatchObject({ code: 'message_template.placeholders', unknown: ['nickname', 'trackingNumber', '}}'] })
  expect(await edge.db('message_templates')).toEqual([])
  const words = { kind: 'confirmation', language: 'de', subject: 'Moin, {{orderNumber}}', text: 'Moin {{name}}!' }
  expect((await edge.post(path, words)).body).toMatchObject({ version: 1 })
  expect((await edge.post(path, { ...words, text: 'Moin moin {{name}}!' })).body).toMatchObject({ version: 2 })
  expect(await settled(await place())).toMatchObject([{ templateVersion: 2 }])
  expect(plain(mails[0]!)).toContain('Moin moin Customer!')
  expect(((await edge.get(path)).body.items as object[]).length).toBe(2)
  expect((await edge.post('/v1/channels/nowhere/message-templates', words)).body.code).toBe('channel.not_found')
})
