/** What is bought through EasyPost: which of its carriers' services stands for which of ours, and when that one collects and delivers. Data only. */
import type { CarrierService } from '../../activities/ports'

export interface ResoldService extends CarrierService {
  /** As EasyPost names them in its rates. */
  sold: { carrier: string; service: string }
}

const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'] as const
const doors = { countries: ['DE', 'AT', 'FR', 'NL', 'PL'], deliversOn: weekdays, hours: { opens: '08:00', closes: '18:00' }, collects: { on: weekdays, until: '17:30' } }

export const resoldServices: readonly ResoldService[] = [
  { service: 'standard', name: 'UPS Standard through EasyPost', transitDays: 3, ...doors, returns: true, sold: { carrier: 'UPS', service: 'UPSStandard' } },
  { service: 'express', name: 'UPS Saver through EasyPost', transitDays: 1, ...doors, sold: { carrier: 'UPS', service: 'UPSSaver' } },
]
