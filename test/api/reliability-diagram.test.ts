/** The picture of whether what was stated is true. */
import { calibrationReport, type PastPromise } from '../../domain/promise/calibration'
import { reliabilityDiagram } from '../../api/reliability-diagram'
import { openEdge, type Edge } from './edge'

const promises = (confidence: number, count: number, kept: number, carrier = 'swiftparcel'): PastPromise[] => Array.from({ length: count }, (_, i) => ({ carrier, confidence, kept: i < kept }))
const circles = (svg: string): { y: number; off: boolean }[] => [...svg.matchAll(/<g class="(bin|off)">.*?cy="([\d.]+)"/g)].map((m) => ({ y: Number(m[2]), off: m[1] === 'off' }))

it('puts every bin where it was kept, and marks what is not true', () => {
  const svg = reliabilityDiagram(calibrationReport([...promises(0.9, 3_000, 2_700), ...promises(0.97, 3_000, 2_400)]))
  const [honest, boastful] = circles(svg)
  expect([honest!.off, boastful!.off]).toEqual([false, true])
  expect(boastful!.y).toBeGreaterThan(honest!.y) // kept less often lies lower
  expect(svg).toContain('What was stated is not true everywhere')
  expect(svg).toContain('stated 90.0 %, kept 90.0 % of 3000')
})

it('says so when nothing has come due, and lets no name break out of the picture', () => {
  expect(reliabilityDiagram(calibrationReport([]))).toContain('No promise has come due yet')
  expect(reliabilityDiagram(calibrationReport(promises(0.9, 10, 9, '<script>')))).not.toContain('<script>')
})

describe('over HTTP', () => {
  let edge: Edge
  beforeAll(async () => {
    edge = await openEdge()
  })
  afterAll(() => edge.close())

  it('is an image for whoever may read the network', async () => {
    const answer = await fetch(`${edge.url}/v1/promise/calibration.svg`, { headers: { authorization: 'Bearer demo-operations' } })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/svg+xml; charset=utf-8'])
    expect(await answer.text()).toMatch(/^<svg /)
    expect((await fetch(`${edge.url}/v1/promise/calibration.svg`, { headers: { authorization: 'Bearer demo-channel-web' } })).status).toBe(403)
  })
})
