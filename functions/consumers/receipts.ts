// Queue rollcall.receipts: records what data holders answer to erasures and exports.
import { type Context, containerContext } from '../../shared/context/context';
import { takeInReceipts } from '../../shared/erasure/take-in-receipts';
import type { RmqEvent } from '../../shared/lambda/rmq-event';

export const receipts = (context: () => Context) => (batch: RmqEvent) => takeInReceipts(context(), batch);

export const handler = receipts(containerContext);
