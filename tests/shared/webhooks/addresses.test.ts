import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import {
  deliveriesOf,
  newEvents,
  sendOnce,
  subscribe,
  type WebhookTestContext,
  webhookContext,
} from '../../setup/webhooks';

let ctx: WebhookTestContext;
beforeEach(async () => {
  ctx = await webhookContext();
});
afterEach(() => ctx.close());

describe('an address', () => {
  const at = (...answers: string[][]) => {
    const asked: string[] = [];
    const resolveHost = async (hostname: string) => {
      asked.push(hostname);
      return answers[asked.length - 1] ?? [];
    };
    return { asked, context: { ...ctx, resolveHost } };
  };

  test.each([
    ['a private one', ['10.0.0.1']],
    ['the metadata service', ['169.254.169.254']],
    ['loopback in IPv6', ['::1']],
    ['loopback, mapped', ['::ffff:10.0.0.1']],
    ['a private one among others', ['127.0.0.1', '192.168.0.1']],
    ['none', []],
    ['nonsense', ['receiver']],
  ])('that a name resolves to and that is %s is refused, without a connection', async (_name, addresses) => {
    const there = await ctx.receiver();
    const webhook = await subscribe(ctx, `http://receiver.example:${there.port}/`);
    await newEvents(ctx, 1);
    expect(await sendOnce(at(addresses).context)).toMatchObject({ retried: 1 });
    expect(there.connections).toBe(0);
    expect((await deliveriesOf(ctx, webhook))[0]?.attempts).toMatchObject([
      { responseStatus: null, error: 'the address of the host is not public' },
    ]);
  });

  test('that was allowed when the endpoint was made, and is not any more, is refused', async () => {
    const there = await ctx.receiver();
    await subscribe(ctx, there.url);
    await newEvents(ctx, 1);
    const strict = { ...ctx.config, webhooks: { ...ctx.config.webhooks, allowedNetworks: [] } };
    expect(await sendOnce({ ...ctx, config: strict })).toMatchObject({ retried: 1 });
    expect(there.connections).toBe(0);
  });

  test('in public gets nothing without TLS', async () => {
    const webhook = await subscribe(ctx, 'http://receiver.example/');
    await newEvents(ctx, 1);
    expect(await sendOnce(at(['192.0.1.1']).context)).toMatchObject({ retried: 1 });
    expect((await deliveriesOf(ctx, webhook))[0]?.attempts[0]?.error).toMatch('require https:');
  });

  test('is asked for once and is the one that is used, so a name that changes its mind gets nowhere', async () => {
    const there = await ctx.receiver();
    await subscribe(ctx, `http://receiver.example:${there.port}/`);
    await newEvents(ctx, 1);
    // Nothing but our own resolver knows this name: a second look-up, by whomever, would fail.
    const name = at(['127.0.0.1'], ['169.254.169.254']);
    expect(await sendOnce(name.context)).toMatchObject({ succeeded: 1 });
    expect(name.asked).toEqual(['receiver.example']);
    expect(there.messages[0]?.headers.host).toBe(`receiver.example:${there.port}`);

    await newEvents(ctx, 1);
    expect(await sendOnce(name.context)).toMatchObject({ retried: 1 });
    expect(there.connections).toBe(1);
  });

  test('is spoken to with TLS in the name of the host, and trusted only with a certificate of that name', async () => {
    let asked = '';
    // Without a certificate: what the client asks for comes before it can refuse one.
    const server = createTlsServer({
      SNICallback: (name, done) => {
        asked = name;
        done(null);
      },
    });
    server.on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await subscribe(ctx, `https://receiver.example:${port}/`);
    await newEvents(ctx, 1);
    expect(await sendOnce(at(['127.0.0.1']).context)).toMatchObject({ retried: 1 });
    expect(asked).toBe('receiver.example');
    server.close();
  });
});
