/** Paper for the packing table: the slip that goes into the box and the label that goes onto it. */
import { z } from 'zod'
import { labelPaper, slipPaper, type LabelPaper, type SlipPaper } from '../../db/views/papers'
import { refuse } from '../../domain/refusals'
import { visibleFulfillment } from '../access'
import { reachesNode } from '../auth'
import { may } from '../permissions'
import { file, route } from '../route'
import { uuid } from '../schemas/fields'

// Fonts and barcodes are large: a process that prints nothing does not load them.
const packingSlip = async (slip: SlipPaper): Promise<Buffer> => (await import('../papers/packing-slip.js')).packingSlipPdf(slip)
const label = async (parcel: LabelPaper & { trackingNumber: string }): Promise<Buffer> => (await import('../papers/label.js')).labelPdf(parcel)

const pdf = { 200: z.string().meta({ override: { type: 'string', format: 'binary' } }) }
const print = { method: 'get', tag: 'Fulfillments', roles: may.readFulfillments, answers: pdf, media: 'application/pdf' } as const

const getSlip = route({
  ...print,
  path: '/v1/fulfillments/{fulfillmentId}/packing-slip.pdf',
  summary: 'The packing slip, A4: by package once it is packed',
  params: z.object({ fulfillmentId: uuid }),
  async run(ctx) {
    await visibleFulfillment(ctx, ctx.params.fulfillmentId)
    const slip = (await slipPaper(ctx.db, ctx.params.fulfillmentId))!
    return file(await packingSlip(slip), { media: 'application/pdf', name: `packing-slip-${slip.fulfillmentId}.pdf` })
  },
})

/** Work whose parcels are not to travel any more. */
const stopped: readonly string[] = ['cancelled', 'rejected', 'expired']

const getLabel = route({
  ...print,
  path: '/v1/packages/{packageId}/label.pdf',
  summary: 'The label of a package, 100 × 150 mm, with the tracking number as Code 128',
  params: z.object({ packageId: uuid }),
  async run(ctx) {
    const found = await labelPaper(ctx.db, ctx.params.packageId)
    if (!found || !reachesNode(ctx.key, found.nodeId)) throw refuse('package.unknown')
    const { trackingNumber, status } = found
    if (stopped.includes(status)) throw refuse('fulfillment.state', { state: status, assignee: null, allowedActions: [] }, `The fulfillment is ${status}: its labels are void`)
    if (trackingNumber === null) throw refuse('fulfillment.label_missing', { waitingOn: 'carrier' })
    return file(await label({ ...found, trackingNumber }), { media: 'application/pdf', name: `label-${ctx.params.packageId}.pdf` })
  },
})

export const paperRoutes = [getSlip, getLabel]
