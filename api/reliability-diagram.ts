/** The reliability diagram as a picture: stated confidence against the share that was kept; on the diagonal what is stated is true. */
import type { CalibrationReport } from '../domain/promise/calibration'

const size = { width: 640, height: 460, left: 60, top: 40, side: 360 }
/** Dates below are not promised; the picture begins here. */
const from = 0.5

/** An SVG of its own, without script or anything from outside. */
export function reliabilityDiagram({ overall, bins, carriers, honest }: CalibrationReport): string {
  const x = (share: number): number => size.left + ((Math.max(share, from) - from) / (1 - from)) * size.side
  const y = (share: number): number => size.top + size.side - ((Math.max(share, from) - from) / (1 - from)) * size.side
  const most = Math.max(1, ...bins.map((b) => b.count))
  const ticks = [0.5, 0.6, 0.7, 0.8, 0.9, 1]
  const grid = ticks.map((t) => `<line class="grid" x1="${x(t)}" y1="${y(from)}" x2="${x(t)}" y2="${y(1)}"/><line class="grid" x1="${x(from)}" y1="${y(t)}" x2="${x(1)}" y2="${y(t)}"/><text x="${x(t)}" y="${y(from) + 18}" text-anchor="middle">${t * 100}</text><text x="${x(from) - 8}" y="${y(t) + 4}" text-anchor="end">${t * 100}</text>`)
  const points = bins
    .filter((b) => b.count > 0)
    .map((b) => {
      const radius = (3 + 7 * Math.sqrt(b.count / most)).toFixed(1)
      const title = `stated ${percent(b.stated)}, kept ${percent(b.keptShare)} of ${b.count}; by chance alone ${percent(b.interval.low)} to ${percent(b.interval.high)}`
      return `<g class="${b.judged && !b.within ? 'off' : 'bin'}"><title>${title}</title><line x1="${x(b.stated)}" x2="${x(b.stated)}" y1="${y(b.interval.low)}" y2="${y(b.interval.high)}"/><circle cx="${x(b.stated)}" cy="${y(b.keptShare)}" r="${radius}"/></g>`
    })
  const rows = [{ name: 'all', ...overall }, ...carriers.map((c) => ({ ...c, name: c.carrier }))]
  const legend = rows.map((r, i) => `<text x="${size.left + size.side + 24}" y="${size.top + 20 + i * 38}"><tspan class="name">${escape(r.name)}</tspan><tspan x="${size.left + size.side + 24}" dy="16">${r.count ? `${percent(r.stated)} stated, ${percent(r.keptShare)} kept of ${r.count}` : 'nothing yet'}</tspan></text>`)
  const says = overall.count === 0 ? 'No promise has come due yet' : honest ? 'What was stated is true' : 'What was stated is not true everywhere, or too little has come due to say'
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${says}">
<style>text{font:12px system-ui,sans-serif;fill:#1c241f}.grid{stroke:#e2e6e1}.ideal{stroke:#8b968f;stroke-dasharray:4 4}.bin circle{fill:#2f6f4f}.bin line{stroke:#2f6f4f}.off circle{fill:#d2552c}.off line{stroke:#d2552c}.name{font-weight:600}.title{font-size:15px;font-weight:600}</style>
<rect width="100%" height="100%" fill="#fff"/>
<text class="title" x="${size.left}" y="24">${says}</text>
${grid.join('\n')}
<line class="ideal" x1="${x(from)}" y1="${y(from)}" x2="${x(1)}" y2="${y(1)}"/>
${points.join('\n')}
<text x="${size.left + size.side / 2}" y="${size.top + size.side + 40}" text-anchor="middle">stated confidence, %</text>
<text transform="translate(16 ${size.top + size.side / 2}) rotate(-90)" text-anchor="middle">kept, %</text>
${legend.join('\n')}
</svg>
`
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
const escape = (text: string): string => text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!)
