// Queue rollcall.webhooks: creates a delivery per event and subscribed webhook. send-webhooks sends them.
import { consumer } from '../../shared/consumers/consumer';
import { type Context, containerContext } from '../../shared/context/context';
import { addDeliveries } from '../../shared/webhooks/delivery-store';

export const webhooks = (context: () => Context) =>
  consumer('webhooks', (events, tx) => addDeliveries(tx, events), context);

export const handler = webhooks(containerContext);
