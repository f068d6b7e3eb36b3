/** The customer's tracking page as HTML: where her delivery is, when it comes, on a map drawn from nothing but positions. It asks no other host for anything. */
import type { TrackingView } from '../db/views/runs'

/** @param nonce lets this page's own style and script run, and no other */
export const trackingPage = (view: TrackingView, token: string, nonce: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escape(headline(view))}</title>
<style nonce="${nonce}">${style}</style>
</head>
<body>
<main id="delivery">${content(view)}</main>
<script nonce="${nonce}">${script(token)}</script>
</body>
</html>
`

/** For a link that leads nowhere. */
export const noSuchDelivery = (nonce: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>No delivery here</title>
<style nonce="${nonce}">${style}</style>
</head>
<body>
<main><h1>No delivery here</h1><p class="detail">This link is wrong or too old. The shop can tell you where your order is.</p></main>
</body>
</html>
`

const content = (view: TrackingView): string => `
<p class="order">Order ${escape(view.channelOrderId)}${view.firstName ? ` for ${escape(view.firstName)}` : ''}</p>
<h1>${escape(headline(view)).replace('–', '\u2060–\u2060')}</h1>
${details(view).map((line) => `<p class="detail">${escape(line)}</p>`).join('\n')}
${map(view)}
${isOpen(view) ? `<p class="stop">Stop ${view.stop} of ${view.of}</p>` : ''}`

const isOpen = ({ status }: TrackingView): boolean => status === 'planned' || status === 'on_the_way'

function headline({ status, delivers, etaFrom, etaTo, completedAt, timeZone }: TrackingView): string {
  if (status === 'done') return `${delivers ? 'Delivered' : 'Collected'}${completedAt ? ` ${dayAndClock(completedAt, timeZone)}` : ''}`
  if (status === 'not_done') return `We could not ${delivers ? 'deliver' : 'collect'} it`
  const window = etaFrom && etaTo ? `${clock(etaFrom, timeZone)}–${clock(etaTo, timeZone)}` : 'today'
  return status === 'on_the_way' ? `Arrives ${window}` : `Leaves soon, expected ${window}`
}

function details(view: TrackingView): string[] {
  const { status, driver, delivers, collects, collected } = view
  if (status === 'done') return [...(delivers && collects ? [collected ? `${driver} has taken the old goods along.` : 'The old goods stayed with you. The shop will tell you how it goes on.'] : []), 'Thank you.']
  if (status === 'not_done') return ['The shop will tell you how it goes on.']
  return [whereIs(view), ...(collects ? [`Please have ready what you send back: ${driver} takes it along.`] : [])]
}

function whereIs({ status, driver, delivers, before }: TrackingView): string {
  if (status === 'planned') return delivers ? `${driver} will bring it.` : `${driver} will come.`
  return before === 0 ? `You are ${driver}’s next stop.` : `${driver} has ${before} ${before === 1 ? 'stop' : 'stops'} before yours.`
}

/** Said as the clocks at the door say it, wherever the page is read. */
const clock = (iso: string, timeZone: string): string => new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' }).format(new Date(iso))
const dayAndClock = (iso: string, timeZone: string): string => `${new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'long' }).format(new Date(iso))} at ${clock(iso, timeZone)}`

const size = { width: 360, height: 220, margin: 30 }

/** Start, driver and door, to scale; north is up. */
function map({ depot, door, driverAt, status }: TrackingView): string {
  const driver = status === 'done' ? door : (driverAt ?? depot)
  const places = [depot, driver, door]
  // A degree of longitude is shorter than one of latitude, by the cosine of where it is.
  const x = (p: { longitude: number }): number => p.longitude * Math.cos((door.latitude * Math.PI) / 180)
  const y = (p: { latitude: number }): number => -p.latitude
  const [left, right, top, bottom] = [Math.min(...places.map(x)), Math.max(...places.map(x)), Math.min(...places.map(y)), Math.max(...places.map(y))]
  const scale = Math.min((size.width - 2 * size.margin) / Math.max(right - left, 1e-6), (size.height - 2 * size.margin) / Math.max(bottom - top, 1e-6))
  const at = (p: { latitude: number; longitude: number }): string =>
    `${(size.width / 2 + (x(p) - (left + right) / 2) * scale).toFixed(1)},${(size.height / 2 + (y(p) - (top + bottom) / 2) * scale).toFixed(1)}`
  const dot = (p: { latitude: number; longitude: number }, className: string, label: string): string => {
    const [cx, cy] = at(p).split(',')
    return `<g class="${className}"><circle cx="${cx}" cy="${cy}" r="9"/><text x="${cx}" y="${Number(cy) - 14}" text-anchor="middle">${label}</text></g>`
  }
  return `<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="Where the delivery is">
<polyline class="way" points="${at(depot)} ${at(driver)}"/><polyline class="ahead" points="${at(driver)} ${at(door)}"/>
${dot(depot, 'depot', 'Store')}${dot(door, 'door', 'You')}${status === 'on_the_way' ? dot(driver, 'driver', 'Driver') : ''}</svg>`
}

const style = `
body{margin:0;font:16px/1.5 system-ui,sans-serif;background:#f4f5f2;color:#1c241f}
main{max-width:30rem;margin:0 auto;padding:1.5rem 1rem}
h1{font-size:1.9rem;line-height:1.2;margin:.2rem 0}
.order,.stop{color:#5c6860;margin:.5rem 0}
.detail{font-size:1.1rem}
svg{width:100%;height:auto;background:#fff;border-radius:12px}
.way{stroke:#2f6f4f;stroke-width:4;fill:none}.ahead{stroke:#a9b5ad;stroke-width:4;stroke-dasharray:2 9;stroke-linecap:round;fill:none}
text{font-size:13px;fill:#1c241f;paint-order:stroke;stroke:#fff;stroke-width:4px}.depot circle{fill:#8b968f}.door circle{fill:#d2552c}.driver circle{fill:#2f6f4f}
`

/** Looks again whenever something has changed. */
const script = (token: string): string => `
new EventSource('/t/' + ${JSON.stringify(token)} + '/events').addEventListener('changed', async () => {
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), 'text/html');
  document.getElementById('delivery').replaceChildren(...page.getElementById('delivery').childNodes);
  document.title = page.title;
});
`

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escape = (text: string): string => text.replace(/[&<>"']/g, (c) => entities[c]!)
