/** Whatever is asked of orders, in whatever sequence: every answer is a yes or a refusal with a code, and in the end money, stock and orders add up. */
import fc from 'fast-check'
import { orderWorkflowId } from '../../domain/ids'
import { goOn, paying, steps, take, wishes, type Hands } from '../support/commands'
import { expectInvariants } from '../support/invariants'
import { steer } from '../support/outside'
import { eventually, peopleOf, type People } from '../support/people'
import { factorOf, seed } from '../support/property'
import { startSystem, type System } from '../support/system'
import { expectToldAgain } from '../support/told-again'

const orders = 5 * Math.min(10, factorOf())

let system: System
let people: People
beforeAll(async () => {
  const policies = {
    returns: { window: 'PT2S', restockBy: 'PT20S', feeMinor: 150 },
    sourcing: { maxShipments: 3, splitLines: true, retryEvery: 'PT0.3S', autoCancelAfter: 'PT3S' },
    parcels: { lost: 'reship', damaged: 'refund', returned: 'refund' },
    care: { retryEvery: 'PT0.3S' },
  } as const
  system = await startSystem({ policies })
  people = peopleOf(system)
  await steer(system.payments.url, '/control/pace', { settleMs: 100 }) // a debit is taken in a moment
})
afterAll(async () => {
  try {
    await expectInvariants(system)
    await expectToldAgain(system)
  } finally {
    await system.stop()
  }
})

const methods = { card: 'pm_card_visa', 'card once': 'pm_card_mastercard', asks: 'pm_card_threeDSecureRequired', 'at once': 'pm_usBankAccount_success' } as const
const cards = [...Object.values(methods), 'pm_card_chargeDeclined']

/** The bank says what it can say of the payment as it is; what it cannot, it has said before. */
const bankSays: Hands['bankSays'] = async (reference, says) => {
  const decided = says === 'authorized' ? 'requires_capture' : 'requires_payment_method'
  const told = says === 'disputed' ? asked('/control/disputes', { paymentIntent: reference }) : says === 'won' || says === 'lost' ? await disputeOf(reference, says) : asked(`/control/intents/${reference}`, { status: decided })
  if (told) await steer(system.payments.url, told.path, told.body).catch((cause: unknown) => (/is disputed already|can be decided|the dispute is/.test(String(cause)) ? undefined : Promise.reject(cause as Error)))
}

const asked = (path: string, body: object): { path: string; body: object } => ({ path, body })

async function disputeOf(reference: string, status: string): Promise<ReturnType<typeof asked> | undefined> {
  const { disputes } = (await (await fetch(`${system.payments.url}/control/disputes`)).json()) as { disputes: { id: string; intent: string; status: string }[] }
  const open = disputes.find((d) => d.intent === reference && d.status === 'needs_response')
  return open && asked(`/control/disputes/${open.id}`, { status })
}

/** The last events of the order's workflow, as Temporal knows it. */
async function runOf(channelOrderId: string): Promise<string> {
  const { events } = await system.client.workflow.getHandle(orderWorkflowId('web', channelOrderId)).fetchHistory()
  return events!.slice(-25).map((e) => Object.keys(e).find((key) => key.endsWith('Attributes'))!.replace('EventAttributes', '')).join(' ')
}

/** In place of a deadline: the provider does what it was asked, and does not say so; or is away for a call. */
const goWrong = (n: number): Promise<void> => steer(system.payments.url, '/control/faults', { next: 1, kind: n % 2 ? 'timeout_after_effect' : 'error_500', operation: n % 3 ? 'capture' : 'refund', ...(n % 2 && { delayMs: 1_700 }) })

const sequences = fc.sample(fc.tuple(wishes, steps(15)), { seed, numRuns: orders })

it.each(sequences.map(([wish, commands], i) => [i + 1, wish, commands] as const))('answers and adds up: sequence %i', async (number, wish, commands) => {
  const skus = await Promise.all(Array.from({ length: wish.lines }, () => people.stocked({ 'store-mitte': 3, 'dc-01': 4 })))
  const spare = await people.stocked({ 'dc-01': 6 })
  const lines = skus.map((sku, i) => ({ sku, quantity: wish.units, unitPriceMinor: 1_000 + 333 * i }))
  const orderId = await people.place({ ...(await paying(people, wish, methods)), lines })
  const hands = async (): Promise<Hands> => ({ people, order: await people.order(orderId), spare, cards, carrierSays: people.carrierSays, bankSays, elapse: () => goWrong(number) })
  await people.until(orderId, (o) => o.fulfillments.length > 0 || !o.workflowOpen || o.payments.some((p) => p.status === 'action_required'), 'work')
  const said: string[] = []
  let told: string[] = []
  try {
    if (wish.delivered) await eventually(async () => (await goOn(await hands()), people.order(orderId)), (o) => !o.workflowOpen || o.lines.every((l) => l.delivered === l.quantity), { what: `order ${orderId} to be delivered` })
    for (const command of commands) said.push(await take(command, await hands()))
    await eventually(async () => {
      const now = await hands()
      told = await goOn(now)
      return now.order
    }, (now) => !now.workflowOpen, { timeoutMs: 60_000, what: `order ${orderId} to come to its end` })
  } catch (cause) {
    const money = [await system.db('payment_operations').where({ order_id: orderId }), await system.db('disputes').join('payments', 'payments.payment_id', 'disputes.payment_id').where({ order_id: orderId })]
    const [run, timeline] = [await runOf((await people.order(orderId)).channelOrderId), await people.told(orderId)]
    throw new Error(`SEED=${seed}: after ${said.join(' · ')}; in the end they were told ${told.join(' · ')}; told: ${timeline.join(' ')}; run: ${run}; money: ${JSON.stringify(money)}: ${String(cause)}`, { cause })
  }
}, 120_000)
