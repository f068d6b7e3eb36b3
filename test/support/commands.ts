/** Everything somebody may do about an order, one entry each, drawn at random: what it is done to is chosen among what there is. Used over HTTP with Temporal, and without. */
import fc from 'fast-check'
import type { FulfillmentView } from '../../db/views/fulfillments'
import type { OrderView } from '../../db/views/orders'
import type { ReturnView } from '../../db/views/returns'
import type { Units } from '../../domain/payment/shares'
import { dispositions, grades, isDisputed } from '../../domain/returns/status'
import type { Answer, OrderWish, People } from './people'

/** Who does it, and those outside who do something by themselves. */
export interface Hands {
  people: People
  order: OrderView
  /** Another SKU that costs the same and is there. */
  spare: string
  /** Cards she may give in place of the one she paid with: the first of them is good for everything, of the others not all are. */
  cards: readonly string[]
  carrierSays(trackingNumber: string, status: string): Promise<void>
  /** A customer has her bank take back what was captured of a payment, or the bank decides. */
  bankSays(reference: string, says: 'disputed' | 'won' | 'lost' | 'authorized' | 'declined'): Promise<void>
  /** What cancellations and changes have had given back, or returns, where nothing else moves meanwhile: then what is said beforehand is held against it. */
  givenBack?(what: 'changes' | 'returns'): Promise<number>
  /** The next deadline or retry comes, where that can be arranged. */
  elapse(): Promise<void>
}

/** `pick` and `more` choose among what there is to choose from. */
export interface Drawn {
  pick: number
  more: number
}
export type Asked = Answer<{ code?: string }>
interface Command {
  /** How often it is drawn. */
  weight: number
  /** Whether there is anything to do it to; absent: always. */
  when?: (order: OrderView) => boolean
  /** @returns what was answered; nothing where there was nothing to do it to, or nobody answers. */
  do(hands: Hands, drawn: Drawn): Promise<Asked | undefined | void>
}

export const chosen = <T>(all: readonly T[], pick: number): T | undefined => all[pick % Math.max(1, all.length)]
type Work = OrderView['fulfillments'][number]

/** Some work that is in the state for it. */
const store = (status: string, step: (people: People, work: Work, more: number) => Promise<unknown>): Command['do'] => async ({ people, order }, { pick, more }) => {
  const work = chosen(order.fulfillments.filter((f) => f.status === status), pick)
  return work && ((await step(people, work, more)) as Asked)
}

const has = (status: string) => (order: OrderView): boolean => order.fulfillments.some((f) => f.status === status)

/** What is still to be picked of it. */
export const pickRest = (people: People, work: Work): Promise<Answer<FulfillmentView>> =>
  people.work(work, 'pick', { lines: work.lines.map((l) => ({ lineId: l.lineId, picked: l.quantity - l.picked - l.rejected })).filter((l) => l.picked > 0) })

const rejectOne = (people: People, work: Work, more: number): Promise<Answer<FulfillmentView>> => {
  const line = chosen(work.lines.filter((l) => l.quantity > l.picked + l.rejected), more)!
  return people.work(work, 'pick', { lines: [{ lineId: line.lineId, picked: 0, rejected: 1, reason: chosen(['not_in_stock', 'damaged', 'no_time'], more) }] })
}

const onTheWay = ({ shipments }: OrderView) => shipments.filter((s) => s.trackingNumber !== null && s.handedOverAt !== null && !['delivered', 'lost', 'returned'].includes(s.status))
/** Also of parcels that are only labelled: news may come before we know that they have left. */
const carrier = (status: (more: number) => string): Command['do'] => async ({ order, carrierSays }, { pick, more }) => {
  const [left, labelled] = [onTheWay(order), order.shipments.filter((s) => s.trackingNumber !== null && s.handedOverAt === null)]
  const parcel = chosen(left.length && more % 8 ? left : [...left, ...labelled], pick)
  if (parcel) await carrierSays(parcel.trackingNumber!, status(more))
}

const some = (lines: OrderView['lines'], { pick, more }: Drawn): { lineId: string; quantity: number } => {
  const line = chosen(lines, pick)!
  return { lineId: line.lineId, quantity: 1 + (more % line.quantity) }
}

/** What was said to go back goes back, to the cent. */
async function asSaid({ givenBack }: Hands, said: unknown, confirm: () => Promise<Asked>, what: 'changes' | 'returns' = 'changes'): Promise<Asked> {
  const before = await givenBack?.(what)
  const done = await confirm()
  if (before === undefined || done.status >= 400) return done
  const minor = (await givenBack!(what)) - before
  if (minor !== said) throw new Error(`${String(said)} was said to be given back, and ${minor} was`)
  return done
}

const isElsewhere = ({ payments }: OrderView): boolean => payments.some((p) => p.provider === 'paid_elsewhere')

/** Asked for, with what it would move, and confirmed. */
async function changed(hands: Hands, ...operations: object[]): Promise<Asked> {
  return changedWith(hands, {}, ...operations)
}
async function changedWith(hands: Hands, by: { paymentMethod?: string }, ...operations: object[]): Promise<Asked> {
  const { people, order } = hands
  const asked = await people.support<{ changeId: string; refundMinor: number; code?: string }>('POST', `/v1/orders/${order.orderId}/changes`, { operations, ...by })
  if (asked.status !== 201) return asked
  const confirm = (): Promise<Asked> => people.support('POST', `/v1/orders/${order.orderId}/changes/${asked.body.changeId}/confirm`, {})
  return isElsewhere(order) ? confirm() : asSaid(hands, asked.body.refundMinor, confirm)
}
/** With what the order was paid with, or with something else. */
const dearer = (hands: Hands, { pick, more }: Drawn, operation: object): Promise<Asked> =>
  changedWith(hands, more % 3 || isElsewhere(hands.order) ? {} : { paymentMethod: chosen(hands.cards, pick)! }, operation)

/** Seen beforehand, as it is refused or done then. */
async function cancelled(hands: Hands, ask: object): Promise<Asked> {
  const { people, order } = hands
  const cancel = <Body>(query = ''): Promise<Answer<Body>> => people.support<Body>('POST', `/v1/orders/${order.orderId}/cancel${query}`, ask)
  const told = await cancel<{ code?: string; money?: { refundMinor: number } }>('?preview=true')
  const done = await asSaid(hands, told.body.money?.refundMinor, () => cancel<{ code?: string }>())
  if (hands.givenBack && (told.status !== done.status || told.body.code !== done.body.code)) throw new Error(`the preview was answered ${told.status} ${told.body.code}, and the cancellation ${done.status} ${done.body.code}`)
  return done
}

/** Goods are announced, or brought: what is said beforehand is given, at once or when they are counted. */
async function sentBack(hands: Hands, path: 'returns' | 'counter-returns', ask: object, worth: Units): Promise<Asked> {
  const { people, order } = hands
  const send = <Body>(query = ''): Promise<Answer<Body>> => people.operations<Body>('POST', `/v1/orders/${order.orderId}/${path}${query}`, ask)
  const told = await send<{ code?: string; money?: { refundMinor: number; goodsMinor: number; refundOn: string } }>('?preview=true')
  if (hands.givenBack && told.body.money) needWorth(order, worth, told.body.money.goodsMinor)
  const isAtOnce = path === 'counter-returns' || told.body.money?.refundOn === 'request'
  const done = await asSaid(hands, isAtOnce ? told.body.money?.refundMinor : 0, () => send<{ code?: string }>(), 'returns')
  if (hands.givenBack && (told.status < 400) !== (done.status < 400)) throw new Error(`the preview was answered ${told.status} ${told.body.code}, and the return ${done.status} ${done.body.code}`)
  return done
}

/** Units she was paid for and still has are the first to come back, and nothing is given for them: reckoned of what the order shows, where nothing else of the line is under way. */
function needWorth(order: OrderView, { lineId, quantity }: Units, goodsMinor: number): void {
  const line = order.lines.find((l) => l.lineId === lineId)!
  const before = order.returns.filter((r) => r.lines.some((l) => l.lineId === lineId))
  if (line.replaces !== null || before.some((r) => r.remedy === 'replacement' || !['closed', 'rejected', 'cancelled'].includes(r.status))) return
  const claimed = before.flatMap((r) => (r.method === 'none' ? r.lines : [])).reduce((sum, l) => (l.lineId === lineId ? sum + l.quantity : sum), 0)
  const due = Math.max(0, quantity - (line.credited - line.returned - claimed))
  if (goodsMinor !== due * line.unitPriceMinor) throw new Error(`${goodsMinor} is to be given for ${quantity} of line ${lineId}, of which ${due} are not paid for`)
}

const isTaken = ({ capturedMinor }: { capturedMinor: number }): boolean => capturedMinor > 0
const isExpected = ({ status }: { status: string }): boolean => ['requested', 'approved', 'collected', 'received'].includes(status)
const isComingBack = ({ returns }: OrderView): boolean => returns.some(isExpected)
const isWithHer = ({ lines }: OrderView): boolean => lines.some((l) => l.delivered > l.returned)
const isGiven = ({ payments }: OrderView): boolean => payments.some(isTaken)
const isPaid = ({ payments }: OrderView): boolean => payments.some((p) => p.provider === 'stripe' && isTaken(p))
const back = ({ order }: Hands, { pick, more }: Drawn) => chosen(order.returns.filter(isExpected).length && more % 8 ? order.returns.filter(isExpected) : order.returns, pick)

const bank = (says: Parameters<Hands['bankSays']>[1], fits: (payment: OrderView['payments'][number]) => boolean): Command['do'] => async ({ order, bankSays }, { pick }) => {
  const payment = chosen(order.payments.filter((p) => p.provider === 'stripe' && p.reference !== null && fits(p)), pick)
  if (payment) await bankSays(payment.reference!, says)
}

const giveCard = (people: People, { orderId }: OrderView, paymentMethod: string): Promise<Asked> => people.support('POST', `/v1/orders/${orderId}/payment-methods`, { provider: 'stripe', paymentMethod })

const releaseHold = async (people: People, { orderId, holds }: OrderView, pick: number): Promise<Asked | undefined> => {
  const hold = chosen(holds, pick)
  return hold && people.support('POST', `/v1/orders/${orderId}/holds/${hold.holdId}/release`, { reason: 'as agreed' })
}

export const commands = {
  pick: { weight: 12, when: has('released'), do: store('released', pickRest) },
  pack: { weight: 12, when: has('picked'), do: store('picked', (people, work) => people.packPicked(work)) },
  'hand over': { weight: 12, when: has('packed'), do: store('packed', (people, work) => people.handOver(work)) },
  deliver: { weight: 12, when: (order) => onTheWay(order).length > 0, do: carrier(() => 'delivered') },
  reject: { weight: 2, when: has('released'), do: store('released', rejectOne) },
  lose: { weight: 2, when: (order) => onTheWay(order).length > 0, do: carrier((more) => chosen(['lost', 'damaged', 'returned'], more)!) },
  cancel: { weight: 3, when: has('released'), do: (hands) => cancelled(hands, { reason: 'changed her mind' }) },
  'cancel units': { weight: 2, do: (hands, drawn) => cancelled(hands, { lines: [some(hands.order.lines, drawn)], reason: 'too many' }) },
  'change down': {
    weight: 2,
    do: (hands, { pick, more }) => {
      const line = chosen(hands.order.lines, pick)!
      return changed(hands, line.quantity > 1 && more % 2 ? { op: 'setQuantity', lineId: line.lineId, quantity: 1 + (more % (line.quantity - 1)) } : { op: 'removeLine', lineId: line.lineId })
    },
  },
  'change up': {
    weight: 3,
    do: (hands, drawn) => {
      const line = chosen(hands.order.lines, drawn.pick)!
      return dearer(hands, drawn, { op: 'setQuantity', lineId: line.lineId, quantity: line.quantity + 1 + (drawn.more % 2) })
    },
  },
  'add line': { weight: 2, do: (hands, drawn) => dearer(hands, drawn, { op: 'addLine', lineId: `more-${hands.order.lines.length}`, sku: hands.spare, quantity: 1 + (drawn.more % 2), unitPriceMinor: 700 + drawn.more, discountMinor: 0, taxMinor: 0 }) },
  'another door': {
    weight: 2,
    do: (hands, { more }) => changed(hands, { op: 'setShipTo', shipTo: { name: 'Customer', line1: `Street ${more}`, city: 'Berlin', postalCode: chosen(['10115', '10999'], more)!, country: 'DE' } }),
  },
  'another way': {
    weight: 2,
    do: (hands, { pick, more }) => changed(hands, { op: 'setDelivery', method: 'delivery', service: chosen(['standard', 'express'], pick)!, shipping: { priceMinor: chosen([0, 190, 490, 890], more)! } }),
  },
  'another date': { weight: 2, do: (hands, { more }) => changed(hands, { op: 'setDelivery', method: 'delivery', by: new Date(Date.now() + (more % 40) * 86_400_000).toISOString() }) },
  return: {
    weight: 8, when: isWithHer,
    do: (hands, drawn) => {
      const units = some(hands.order.lines, drawn)
      return sentBack(hands, 'returns', { lines: [{ ...units, reason: 'too big' }], method: chosen(['store', 'mail', 'courier'], drawn.more >> 3)! }, units)
    },
  },
  'bring back': {
    weight: 5, when: isWithHer,
    do: (hands, drawn) => {
      const paid = hands.order.lines.filter((l) => l.credited > l.returned && l.delivered > l.returned)
      const { lineId, quantity } = some(paid.length && drawn.more % 4 ? paid : hands.order.lines, drawn)
      const grade = chosen(grades, drawn.more >> 2)!
      const counted = [{ quantity, grade, disposition: chosen(dispositions, drawn.more >> 4)! }]
      return sentBack(hands, 'counter-returns', { nodeId: chosen(['dc-01', 'store-mitte'], drawn.more)!, lines: [{ lineId, reason: 'too big', counted }] }, { lineId, quantity: isDisputed(grade) ? 0 : quantity })
    },
  },
  replace: {
    weight: 8, when: isWithHer,
    do: ({ people, order, spare }, drawn) =>
      people.support('POST', `/v1/orders/${order.orderId}/replacements`, { lines: [{ ...some(order.lines, drawn), ...(drawn.more & 4 && { sku: spare }), reason: 'broken' }], collectOld: chosen(['store', 'none', 'mail'], drawn.more >> 3)! }),
  },
  exchange: {
    weight: 8, when: isWithHer,
    do: ({ people, order, spare }, drawn) => {
      const line = { ...some(order.lines, drawn), sku: spare, unitPriceMinor: chosen([1, 650, 1_000, 1_400, 2_100], drawn.more)!, reason: 'another colour' }
      return people.support('POST', `/v1/orders/${order.orderId}/replacements`, { lines: [line], collectOld: chosen(['store', 'none', 'mail'], drawn.more >> 3)!, send: chosen(['now', 'on_receipt'], drawn.pick)! })
    },
  },
  claim: { weight: 3, when: isWithHer, do: ({ people, order }, drawn) => people.claim(order.orderId, { lines: [some(order.lines, drawn)], remedy: chosen(['refund', 'replace', 'credit'], drawn.more >> 2)!, reason: 'leaks' }) },
  goodwill: { weight: 3, when: isGiven, do: ({ people, order }, { pick, more }) => people.giveBack(order.orderId, { amountMinor: 1 + ((pick * 7 + more) % 2_500), reason: 'scratched' }, more % 8 ? 'approve' : 'reject') },
  'scan back': {
    weight: 4, when: isComingBack,
    do: async (hands, drawn) => {
      const asked = back(hands, drawn)
      const label = asked && (await hands.people.support<ReturnView>('GET', `/v1/returns/${asked.returnId}`)).body.label
      if (label?.trackingNumber) await hands.carrierSays(label.trackingNumber, chosen(['in_transit', 'delivered', 'lost'], drawn.more)!)
    },
  },
  receive: {
    weight: 12, when: isComingBack,
    do: async (hands, drawn) => {
      const asked = back(hands, drawn)
      if (!asked) return undefined
      const { more } = drawn
      const grade = chosen(grades, more)!
      const disposition = chosen(dispositions, more >> 2)!
      const lines = [{ lineId: chosen(asked.lines, more)!.lineId, quantity: 1, grade, disposition }]
      return hands.people.operations('POST', `/v1/returns/${asked.returnId}/receive`, { nodeId: chosen(['dc-01', 'store-mitte'], more)!, lines })
    },
  },
  'something else': {
    weight: 4, when: isComingBack,
    do: async (hands, drawn) => {
      const asked = back(hands, drawn)
      const lines = (asked?.lines ?? []).filter((l) => l.quantity > l.received).map((l) => ({ lineId: l.lineId, quantity: l.quantity - l.received, grade: 'wrong_item', disposition: 'restock' }))
      return asked && lines.length > 0 ? hands.people.operations('POST', `/v1/returns/${asked.returnId}/receive`, { nodeId: 'dc-01', lines }) : undefined
    },
  },
  decide: {
    weight: 5, when: isComingBack,
    do: async (hands, drawn) => {
      const asked = back(hands, drawn)
      return asked && hands.people.support('POST', `/v1/returns/${asked.returnId}/${chosen(['approve', 'cancel', 'close', 'remind', 'charge', 'waive'], drawn.more)!}`, { reason: 'as agreed' })
    },
  },
  chargeback: { weight: 2, when: isPaid, do: bank('disputed', isTaken) },
  'chargeback decided': { weight: 2, when: isPaid, do: (hands, drawn) => bank(drawn.more % 2 ? 'won' : 'lost', isTaken)(hands, drawn) },
  'release hold': { weight: 3, when: ({ holds }) => holds.length > 0, do: ({ people, order }, { pick }) => releaseHold(people, order, pick) },
  'bank answers': { weight: 8, when: (order) => order.payments.some((p) => p.status === 'action_required'), do: (hands, drawn) => bank(drawn.more % 4 ? 'authorized' : 'declined', (p) => p.status === 'action_required')(hands, drawn) },
  'give card': {
    weight: 4, when: ({ payments }) => payments.some((p) => p.status === 'declined' || (p.status === 'action_required' && payments.length > 1)),
    do: ({ people, order, cards }, { more }) => giveCard(people, order, chosen(cards, more)!),
  },
  'time passes': { weight: 2, do: (hands) => hands.elapse() },
  ledger: {
    weight: 1,
    do: async ({ people, order }) => {
      const told = await people.support<{ entries: { amountMinor: number }[]; code?: string }>('GET', `/v1/orders/${order.orderId}/ledger`)
      const sum = told.body.entries.reduce((total, e) => total + e.amountMinor, 0)
      if (sum !== 0) throw new Error(`the ledger of the order sums to ${sum}`)
      return told
    },
  },
} as const satisfies Record<string, Command>
export type CommandName = keyof typeof commands

/** `draw` chooses what is done, mostly among what there is anything to do it to. */
export interface Step extends Drawn {
  draw: number
}
export const steps = (shortest: number): fc.Arbitrary<Step[]> => fc.array(fc.record({ draw: fc.nat(10_000), pick: fc.nat(1_000), more: fc.nat(1_000) }), { minLength: shortest, maxLength: 30 })

function drawn({ draw }: Step, order: OrderView): CommandName {
  const all = (Object.entries(commands) as [CommandName, Command][]).filter(([, { when }]) => draw % 12 === 11 || !when || when(order))
  let left = draw % all.reduce((sum, [, { weight }]) => sum + weight, 0)
  return all.find(([, { weight }]) => (left -= weight) < 0)![0]
}

/** One step; every answer is a yes or a no with a code. @returns what was done and answered, for whoever has to find out */
export async function take(step: Step, hands: Hands): Promise<string> {
  const what = drawn(step, hands.order)
  const answer = await (commands[what] as Command).do(hands, step)
  if (!answer) return what
  const said = `${what} ${answer.status} ${answer.body.code ?? ''}`.trim()
  if (answer.status >= 400 && (answer.status !== 409 || !answer.body.code)) throw new Error(`${said}: ${JSON.stringify(answer.body)}`)
  return said
}

export interface Wish {
  /** Is all of it with the customer before anything is asked? Then most of what is asked is about what comes back. */
  delivered: boolean
  units: number
  lines: number
  pays: 'card' | 'card once' | 'asks' | 'at once' | 'at once and card' | 'elsewhere' | 'gift card' | 'store credit'
  /** When the money of what comes back is given, as the order is marked. */
  paidBack: 'receipt' | 'request' | 'scan'
}
export const wishes: fc.Arbitrary<Wish> = fc.record({
  delivered: fc.constantFrom(true, false, false),
  units: fc.integer({ min: 1, max: 3 }), lines: fc.integer({ min: 1, max: 3 }),
  pays: fc.constantFrom<Wish['pays'][]>('card', 'card', 'card', 'card', 'card', 'card once', 'card once', 'asks', 'at once', 'at once', 'at once and card', 'at once and card', 'elsewhere', 'gift card', 'store credit'),
  paidBack: fc.constantFrom<Wish['paidBack'][]>('receipt', 'request', 'scan'),
})

let customers = 0
/** What is paid, and how: with what is on a card or an account as far as it goes, and the rest with a bank card. @param methods the provider's names */
export async function paying(people: People, { pays }: Wish, methods: Record<'card' | 'card once' | 'asks' | 'at once', string>): Promise<Partial<OrderWish>> {
  if (pays === 'elsewhere') return { paidElsewhere: true }
  if (pays !== 'gift card' && pays !== 'store credit' && pays !== 'at once and card') return { paymentMethod: methods[pays] }
  const issued = { currency: 'EUR', amountMinor: 1_500, paidElsewhere: true, reason: 'sold at the till' }
  const rest = { provider: 'stripe', paymentMethod: methods.card }
  if (pays === 'at once and card') return { tenders: [rest, { provider: 'stripe', paymentMethod: methods['at once'], amountMinor: 900 }] }
  if (pays === 'gift card') {
    const { body } = await people.support<{ code: string }>('POST', '/v1/gift-cards', issued)
    return { tenders: [{ provider: 'gift_card', paymentMethod: body.code, amountMinor: 1_200 }, rest] }
  }
  const customerRef = `saver-${(customers += 1)}`
  await people.support('POST', '/v1/store-credits', { ...issued, customerRef })
  return { customer: { customerRef, name: 'Customer' }, tenders: [{ provider: 'store_credit', amountMinor: 900 }, rest] }
}

/** Everything that is still open goes a step of the straight way to its end. @returns what the stores and support were answered */
export async function goOn({ people, order, cards, carrierSays, bankSays }: Hands): Promise<string[]> {
  const told: string[] = []
  const answered = ({ status, body }: Asked): number => told.push(`${status} ${body.code ?? ''}`)
  for (const payment of order.payments) if (payment.status === 'action_required') await bankSays(payment.reference!, 'authorized')
  // Disputes that were lost hold what is inside until somebody says that it may leave.
  if (order.holds.length > 0) answered((await releaseHold(people, order, 0))!)
  for (const work of order.fulfillments) {
    if (work.status === 'released' || work.status === 'picking') answered((await pickRest(people, work)) as Asked)
    else if (work.status === 'picked') answered((await people.packPicked(work)) as Asked)
    else if (work.status === 'packed') answered((await people.handOver(work)) as Asked)
  }
  // What has still to leave is not held: she gives another card.
  if (told.some((answer) => answer.includes('order.not_authorized'))) answered(await giveCard(people, order, cards[0]!))
  for (const s of onTheWay(order)) await carrierSays(s.trackingNumber!, 'delivered')
  for (const payment of order.payments) if (isTaken(payment) && payment.provider === 'stripe') await bankSays(payment.reference!, 'won')
  for (const { returnId, lines } of order.returns)
    for (const { lineId, quantity, received } of lines)
      if (quantity > received) {
        const counted: Asked = await people.operations('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'dc-01', lines: [{ lineId, quantity: 1, grade: 'as_new', disposition: 'restock' }] })
        // Something else came in its place: support leaves it at that.
        if (counted.body.code === 'return.quantity') await people.support('POST', `/v1/returns/${returnId}/close`, {})
      }
  return told
}
