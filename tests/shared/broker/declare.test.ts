import { declareTopology } from '../../../shared/broker/topology';
import { openClient } from '../../setup/broker';
import { testContext } from '../../setup/context';
import { startProxy } from '../../setup/proxy';

test('a connection that breaks before the broker has closed the channel keeps nobody waiting', async () => {
  const ctx = await testContext();
  const proxy = await startProxy(ctx.config.broker.url);
  const { model } = await openClient(proxy.url);
  const closed = new Promise((resolve) => model.once('close', resolve));
  // What amqplib says when it closes a channel: everything is declared by then.
  proxy.cutAt('Goodbye');
  await declareTopology(model, ctx.config.events, ctx.log);
  await closed;
  await proxy.stop();
  await ctx.close();
});
