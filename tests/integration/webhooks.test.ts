// Over HTTP, through serverless-offline: from a registration to a receiver that verifies it.
import { registration } from '../setup/people';
import { type Receiver, startReceiver, status, verified } from '../setup/receiver';
import { eventually, type Service, startService } from '../setup/service';

let service: Service;
let receivers: Receiver[];
beforeAll(async () => {
  receivers = [await startReceiver(), await startReceiver(status(500))];
  service = await startService();
});
afterAll(async () => {
  await service.stop();
  await Promise.all(receivers.map((receiver) => receiver.stop()));
});

test('a registration reaches a receiver, signed, and shows in its deliveries; one that fails is tried again', async () => {
  const [fine, failing] = await Promise.all(
    receivers.map(async ({ url }) => {
      const body = { url, eventTypes: ['user.created'], retryDelaysSeconds: [1] };
      const made = await service.request('/webhooks', { method: 'POST', token: service.adminToken, body });
      expect(made.status).toBe(201);
      return made.body;
    }),
  );
  const { body } = await service.request('/register', { method: 'POST', body: registration() });

  const [ofUser] = (await service.request(`/events?subject=${body.user.id}`, { token: service.adminToken }))
    .body.events;

  // Somebody else's may come too: the administrator is a user as well.
  const deliveryAt = (webhook: { id: string }) => async () => {
    const path = `/webhooks/${webhook.id}/deliveries`;
    const { deliveries } = (await service.request(path, { token: service.adminToken })).body;
    return deliveries.find(({ id }: { id: string }) => id === ofUser.id);
  };
  await eventually(deliveryAt(fine), (delivery) => delivery?.status === 'succeeded');
  const messagesAt = (receiver: Receiver | undefined) =>
    receiver?.messages.filter(({ headers }) => headers['webhook-id'] === ofUser.id) ?? [];
  expect(verified(fine.secret, messagesAt(receivers[0])[0])).toMatchObject({
    type: 'user.created',
    subject: body.user.id,
    data: { id: body.user.id, username: body.user.username, email: body.user.email },
  });

  const failed = await eventually(deliveryAt(failing), (delivery) => delivery?.status === 'failed');
  expect(failed).toMatchObject({ attemptCount: 2 });
  expect(messagesAt(receivers[1])).toHaveLength(2);
});
