/** An address as it stands on a parcel: name, street, city with its postcode, country. */
import type { AddressLines } from '../../db/views/papers'

export const addressLines = ({ name, line1, line2, postalCode, city, region, country }: AddressLines): string[] =>
  [name, line1, line2, [postalCode, city].filter(Boolean).join(' '), region, country].filter((line): line is string => Boolean(line))
