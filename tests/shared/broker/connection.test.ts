import { createBroker } from '../../../shared/broker/connection';
import { createLog } from '../../../shared/log';
import { brokerUrl } from '../../setup/broker';
import { startProxy } from '../../setup/proxy';

test('a broker that has fallen silent keeps nobody from closing, and from opening again', async () => {
  const proxy = await startProxy(brokerUrl());
  const broker = createBroker(proxy.url, 'rollcall-test', createLog('silent'));
  const silent = await broker.open(5_000);
  proxy.muteServer();
  await broker.close();
  expect(silent.closed).not.toBeNull();
  proxy.heal();
  const answering = await broker.open(5_000);
  expect(answering.closed).toBeNull();
  await broker.close();
  await proxy.stop();
});
