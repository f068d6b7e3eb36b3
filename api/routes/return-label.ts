/** The label a customer sends something back with, as paper. */
import { z } from 'zod'
import { returnLabelPaper } from '../../db/views/return-label'
import { refuse } from '../../domain/refusals'
import { may } from '../permissions'
import { file, route } from '../route'
import { uuid } from '../schemas/fields'
import { visibleReturn } from './returns'

/** GET /v1/returns/{returnId}/label.pdf */
export const returnLabel = route({
  method: 'get',
  path: '/v1/returns/{returnId}/label.pdf',
  tag: 'Returns',
  summary: 'The label of what comes back by mail, 100 × 150 mm, with the tracking number as Code 128',
  roles: may.readReturns,
  params: z.strictObject({ returnId: uuid }),
  answers: { 200: z.string().meta({ override: { type: 'string', format: 'binary' } }) },
  media: 'application/pdf',
  async run(ctx) {
    const { returnId } = ctx.params
    await visibleReturn(ctx) // it has her address: whose order it is prints it
    const paper = await returnLabelPaper(ctx.db, returnId)
    if (!paper) throw refuse('return.unknown')
    const { trackingNumber, label, noLabel } = paper
    if (trackingNumber === null || label?.status !== 'ready') throw refuse('return.no_label', { code: label?.status ?? noLabel?.code ?? 'not_by_mail' })
    const { labelPdf } = await import('../papers/label.js')
    return file(await labelPdf({ ...paper, trackingNumber }), { media: 'application/pdf', name: `return-label-${returnId}.pdf` })
  },
})
