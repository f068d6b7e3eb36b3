/** The customer's tracking page: no key is needed, the link is the key. */
import { randomBytes } from 'node:crypto'
import type { Response } from 'express'
import { z } from 'zod'
import { trackingView } from '../../db/views/runs'
import { stream, type Ctx } from '../route'
import { noSuchDelivery, trackingPage } from '../tracking-page'

const tag = 'Tracking'
const params = z.object({ token: z.string().max(100) })
type Params = z.output<typeof params>

const page = stream({
  method: 'get',
  path: '/t/{token}',
  tag,
  summary: 'Where a delivery is: a page for the customer',
  roles: 'public',
  params,
  answers: { 200: z.string().meta({ description: 'HTML; nothing personal beyond the first name' }) },
  async open(ctx: Ctx<Params>, _req, res) {
    const { token } = ctx.params
    const nonce = randomBytes(16).toString('base64')
    const view = await trackingView(ctx.db, token)
    res.set('Content-Security-Policy', `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'`)
    res.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' })
    res.status(view ? 200 : 404).type('html').send(view ? trackingPage(view, token, nonce) : noSuchDelivery(nonce))
  },
})

/** Each page looks by itself: a delivery is watched for minutes, by one or two. */
const lookEveryMs = 2_000

const changes = stream({
  method: 'get',
  path: '/t/{token}/events',
  tag,
  summary: 'Says when there is something new to see',
  roles: 'public',
  params,
  answers: { 200: z.string().meta({ description: '`changed` whenever the page should be read again' }) },
  async open(ctx: Ctx<Params>, _req, res) {
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' })
    res.write('retry: 5000\n\n')
    await follow(ctx, res)
  },
})

async function follow(ctx: Ctx<Params>, res: Response): Promise<void> {
  let known = (await trackingView(ctx.db, ctx.params.token))?.version
  const timer = setInterval(() => {
    void trackingView(ctx.db, ctx.params.token).then((view) => {
      if (!view || view.version === known) return
      known = view.version
      res.write(`event: changed\ndata: ${view.status}\n\n`)
    }, () => undefined)
  }, lookEveryMs)
  await new Promise<void>((resolve) => res.once('close', () => resolve()))
  clearInterval(timer)
}

export const trackingRoutes = [page, changes]
