// Over HTTP, through serverless-offline: from a registration to a receiver that verifies it.
import { registration } from '../setup/people';
import { type Receiver, startReceiver, status, verified } from '../setup/receiver';
import { eventually, type Service, startService } from '../setup/service';

let service: Service;
let receivers: Receiver[];
beforeAll(async () => {
  receivers = [await startReceiver(), await startReceiver(status(500))];
  service = await startService();
}, 60_000);
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

  const listed = (webhook: { id: string }) => async () =>
    (await service.request(`/webhooks/${webhook.id}/deliveries`, { token: service.adminToken })).body
      .deliveries;
  const [delivery] = await eventually(listed(fine), ([first]) => first?.status === 'succeeded');
  const [message] = receivers[0]?.messages ?? [];
  expect(verified(fine.secret, message)).toMatchObject({
    type: 'user.created',
    subject: body.user.id,
    data: { id: body.user.id, username: body.user.username, email: body.user.email },
  });
  expect(message?.headers['webhook-id']).toBe(delivery.id);

  const [failed] = await eventually(listed(failing), ([first]) => first?.status === 'failed');
  expect(failed).toMatchObject({ id: delivery.id, attemptCount: 2 });
  const ids = receivers[1]?.messages.map(({ headers }) => headers['webhook-id']);
  expect(ids).toEqual([delivery.id, delivery.id]);
});
