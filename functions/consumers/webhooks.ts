// Queue rollcall.webhooks: makes a delivery of every event for every endpoint that wants it. send-webhooks sends them.
import { consumer } from '../../shared/consumers/consumer';
import { type Context, containerContext } from '../../shared/context/context';
import { addDeliveries } from '../../shared/webhooks/delivery-store';

export const webhooks = (context: () => Context) =>
  consumer('webhooks', (events, tx) => addDeliveries(tx, events), context);

export const handler = webhooks(containerContext);
