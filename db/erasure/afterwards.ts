/** What comes about an order after its customer was erased: that it came is kept, and nothing of what it says of her. */
import { row, type Transaction } from '../connection'

/** Whoever erases it at this moment is waited for, and waits for us: what is written now is either erased by them or known to be erased here. */
export const isErased = async (tx: Transaction, { channel, channelOrderId }: { channel: string; channelOrderId: string }): Promise<boolean> =>
  (await row<{ erased: boolean }>(tx, 'SELECT erased_at IS NOT NULL AS erased FROM orders WHERE channel = ? AND channel_order_id = ? FOR SHARE', [channel, channelOrderId]))?.erased ?? false
