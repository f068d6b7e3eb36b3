/** What every way in shares: an order document is checked against the network and its own arithmetic, with every reason named, and then accepted. */
import type { Position } from '../domain/delivery/distance'
import { partLineId, withoutKits, type Kits } from '../domain/order/kits'
import type { ChannelFacts } from '../domain/policy/channel-facts'
import { policiesFor } from '../domain/policy/channel-rules'
import { totalsProblems } from '../domain/order/totals'
import type { NewOrder, SubmittedOrder } from '../domain/order/new-order'
import { isCurrency } from '../domain/money'
import { refuse, type RefusalDetail } from '../domain/refusals'
import { factsJson } from './channel-policies'
import { row, rows, type Transaction } from './connection'
import { acceptOrder, type Accepted, type Intake } from './intake'
import { kitsSql } from './kits'
import type { PlanMode } from './race'

export interface Placing extends Omit<Intake, 'order' | 'facts'> {
  order: SubmittedOrder
  /** Carrier services an order may name. */
  services: readonly string[]
}

/** An order that was looked at: everything that keeps it from being one here, and what it is placed with where nothing does. */
export interface Checked {
  problems: OrderProblem[]
  known: References
}

/** @throws the first problem's code with all problems in `errors`; `order.duplicate`, `stock.short` as `acceptOrder` does. */
export async function placeOrder(tx: Transaction, placing: Placing, mode: PlanMode): Promise<Accepted> {
  const checked = await checkOrder(tx, placing.order, placing.services)
  const { problems } = checked
  const [first] = problems
  if (first) throw refuse(first.code ?? 'request.invalid', first.data ?? {}, first.message, problems.map(({ code, pointer, message }) => ({ code, pointer, message })))
  return placeChecked(tx, placing, checked, mode)
}

export async function checkOrder(tx: Transaction, order: SubmittedOrder, services: readonly string[]): Promise<Checked> {
  const known = await references(tx, order)
  return { known, problems: problemsOf(order, known, services) }
}

/** @param checked without problems. @throws `order.duplicate`, `stock.short` as `acceptOrder` does */
export function placeChecked(tx: Transaction, placing: Placing, { known }: Checked, mode: PlanMode): Promise<Accepted> {
  const lines = withoutKits(placing.order.lines, known.kits)
  const collectedAt = placing.order.delivery.method === 'delivery' ? undefined : (known.node ?? undefined)
  const facts = known.facts!
  return acceptOrder(tx, { ...placing, facts, policies: policiesFor(placing.policies, facts), collectedAt, order: { ...placing.order, lines, claim: placing.order.claim ?? known.claim ?? 'required' } }, mode)
}

function problemsOf(order: SubmittedOrder, known: References, services: readonly string[]): OrderProblem[] {
  return [
    ...channelProblems(order, known.currency),
    ...lineProblems(order, new Set(known.skus)),
    ...kitProblems(order, known.kits),
    ...deliveryProblems(order, known, services),
    ...totalsProblems(order).map((p): OrderProblem => ({ ...p, code: 'order.totals' })),
  ]
}

export interface OrderProblem extends RefusalDetail {
  data?: Record<string, unknown>
}

interface References {
  currency: string | null
  claim: NewOrder['claim'] | null
  /** Null where there is no such channel. */
  facts: ChannelFacts | null
  skus: string[]
  kits: Kits
  methods: string[]
  /** The node it names, if there is one that works. */
  node: (Position & { country: string; methods: string[] }) | null
}

/** One round trip for all that an order names. */
async function references(tx: Transaction, order: Pick<SubmittedOrder, 'lines' | 'delivery' | 'channel'>): Promise<References> {
  const skus = [...new Set(order.lines.map((l) => l.sku))]
  const [found] = await rows<References>(
    tx,
    `SELECT c.currency, c.claim, CASE WHEN c.channel_id IS NOT NULL THEN ${factsJson} END AS facts,
       ARRAY(SELECT sku FROM skus WHERE sku = ANY(?)) AS skus, ${kitsSql} AS kits,
       ARRAY(SELECT DISTINCT m FROM nodes, unnest(methods) AS m WHERE active ORDER BY m) AS methods,
       (SELECT json_build_object('country', country, 'latitude', latitude, 'longitude', longitude, 'methods', CASE WHEN active THEN methods ELSE '{}' END) FROM nodes WHERE node_id = ?) AS node
     FROM (SELECT 1) one LEFT JOIN channels c ON c.channel_id = ?`,
    [skus, skus, order.delivery.nodeId ?? null, order.channel],
  )
  return found!
}

function channelProblems(order: SubmittedOrder, sellsIn: string | null): OrderProblem[] {
  if (sellsIn === null) return [{ code: 'channel.unknown', pointer: '/channel', message: `No channel ${order.channel}`, data: { channel: order.channel } }]
  if (!isCurrency(order.currency)) return [{ code: 'currency.unknown', pointer: '/currency', message: 'Not an ISO 4217 currency code', data: { currency: order.currency } }]
  if (sellsIn === order.currency) return []
  const message = `The channel sells in ${sellsIn}, not in ${order.currency}`
  return [{ code: 'currency.not_accepted', pointer: '/currency', message, data: { currency: order.currency, accepts: sellsIn } }]
}

function lineProblems(order: SubmittedOrder, known: ReadonlySet<string>): OrderProblem[] {
  const seen = new Set<string>()
  return order.lines.flatMap((line, i) => {
    const problems: OrderProblem[] = []
    if (!known.has(line.sku)) problems.push({ code: 'sku.unknown', pointer: `/lines/${i}/sku`, message: `No SKU ${line.sku}`, data: { sku: line.sku } })
    if (seen.has(line.lineId))
      problems.push({ code: 'order.lines_repeated', pointer: `/lines/${i}/lineId`, message: `Line id ${line.lineId} is used twice`, data: { lineId: line.lineId } })
    seen.add(line.lineId)
    return problems
  })
}

/** The lines of a kit's components are named after its line: no other line may be called so. */
function kitProblems({ lines }: SubmittedOrder, kits: Kits): OrderProblem[] {
  const parts = new Set(lines.flatMap((line) => (kits[line.sku] ?? []).map((_, i) => partLineId(line.lineId, i))))
  return lines.flatMap((line, i): OrderProblem[] =>
    parts.has(line.lineId) ? [{ code: 'order.lines_repeated', pointer: `/lines/${i}/lineId`, message: `Line id ${line.lineId} is that of a component of a kit`, data: { lineId: line.lineId } }] : [],
  )
}

function deliveryProblems({ delivery }: Pick<SubmittedOrder, 'delivery'>, { methods, node }: References, services: readonly string[]): OrderProblem[] {
  const problems: OrderProblem[] = []
  const isFetched = delivery.method !== 'delivery'
  if (!methods.includes(delivery.method)) {
    const message = `No node offers ${delivery.method}; offered: ${methods.join(', ')}`
    problems.push({ code: 'delivery.method_not_offered', pointer: '/delivery/method', message, data: { method: delivery.method, offered: methods } })
  }
  if (delivery.service !== undefined && !services.includes(delivery.service)) {
    const message = `No carrier offers ${delivery.service}; offered: ${services.join(', ')}`
    problems.push({ code: 'delivery.service_not_offered', pointer: '/delivery/service', message, data: { service: delivery.service, offered: services } })
  }
  if (isFetched && node && methods.includes(delivery.method) && !node.methods.includes(delivery.method)) {
    const message = `${delivery.nodeId} does not offer ${delivery.method}`
    problems.push({ code: 'delivery.method_not_offered', pointer: '/delivery/nodeId', message, data: { method: delivery.method, offered: node.methods } })
  }
  if (delivery.nodeId !== undefined && !node) problems.push({ code: 'node.unknown', pointer: '/delivery/nodeId', message: `No node ${delivery.nodeId}`, data: { nodeId: delivery.nodeId } })
  return problems
}

/** @throws the first thing that keeps an order from being delivered this way */
export async function refuseDelivery(tx: Transaction, { method, service, nodeId }: Pick<SubmittedOrder['delivery'], 'method' | 'service' | 'nodeId'>, services: readonly string[]): Promise<void> {
  const delivery = { method, ...(service !== undefined && { service }), ...(nodeId !== undefined && { nodeId }) }
  const [first] = deliveryProblems({ delivery }, await references(tx, { lines: [], delivery, channel: '' }), services)
  if (first) throw refuse(first.code!, first.data, first.message)
}

/** The order a channel already submitted under this number, if any. */
export const findByNumber = (tx: Transaction, channel: string, channelOrderId: string): Promise<{ orderId: string } | undefined> =>
  row(tx, 'SELECT order_id AS "orderId" FROM orders WHERE channel = ? AND channel_order_id = ?', [channel, channelOrderId])
