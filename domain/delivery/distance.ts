/** How far apart two places are. */
export interface Position {
  latitude: number
  longitude: number
}

const earthRadiusMeters = 6_371_008.8

/** Great-circle distance in metres (haversine formula, mean earth radius of IUGG). */
export function distanceMeters(a: Position, b: Position): number {
  const rad = Math.PI / 180
  const dLat = (b.latitude - a.latitude) * rad
  const dLon = (b.longitude - a.longitude) * rad
  const h = Math.sin(dLat / 2) ** 2 + Math.cos(a.latitude * rad) * Math.cos(b.latitude * rad) * Math.sin(dLon / 2) ** 2
  return Math.round(2 * earthRadiusMeters * Math.asin(Math.min(1, Math.sqrt(h))))
}
