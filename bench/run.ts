/** `npm run bench`: measures what is promised of speed and size, section by section, each on a site of its own, and writes RESULTS.md. `--quick` only shows that it runs. */
import { backTests } from './sections/back-test'
import { batch } from './sections/batch'
import { bulk } from './sections/bulk'
import { bulkCancel } from './sections/bulk-cancel'
import { hotSku, repeat } from './sections/crowd'
import { intake } from './sections/intake'
import { list } from './sections/list'
import { dispatch } from './sections/dispatch'
import { history, lives, livesReturned, memory } from './sections/lives'
import { preview } from './sections/preview'
import { options } from './sections/promise'
import { reserve } from './sections/reserve'
import { routing } from './sections/routing'
import { settlement } from './sections/settlement'
import { shopifyWebhooks } from './sections/shopify'
import { sourcing } from './sections/sourcing'
import { counts } from './sections/stock'
import { wave } from './sections/wave'
import { webhooks } from './sections/webhooks'
import { report, type Figure } from './report'
import { realServer, startSite, type Site } from './site'

const sections: Record<string, (site: Site, quick: boolean) => Promise<Figure[]>> = {
  history,
  repeat,
  lives,
  'lives-returned': livesReturned,
  intake,
  bulk,
  'bulk-cancel': bulkCancel,
  shopify: shopifyWebhooks,
  'hot-sku': hotSku,
  reserve,
  counts,
  settlement,
  sourcing,
  routing,
  wave,
  dispatch,
  'back-test': backTests,
  batch,
  webhooks,
  options,
  preview,
  list,
  memory,
  'lives-real': (site, quick) => lives(site, quick, 'real server'),
}
const onRealServer: ReadonlySet<string> = new Set(['lives-real'])

async function main(argv: readonly string[]): Promise<void> {
  const quick = argv.includes('--quick')
  const named = argv.filter((a) => !a.startsWith('--'))
  const unknown = named.find((name) => !(name in sections))
  if (unknown) throw new Error(`no section ${unknown}; there are ${Object.keys(sections).join(', ')}`)
  const startedAt = Date.now()
  const figures: Figure[] = []
  for (const name of named.length ? named : Object.keys(sections)) {
    console.log(`${name} …`)
    const site = await startSite(onRealServer.has(name) ? realServer : undefined)
    try {
      figures.push(...(await sections[name]!(site, quick)))
    } finally {
      await site.stop()
    }
  }
  if (quick) for (const f of figures) console.log(`  ${f.what}: ${f.measured}`)
  else report(figures, (Date.now() - startedAt) / 1000)
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  },
)
