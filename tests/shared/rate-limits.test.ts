import { addressBlock } from '../../shared/rate-limits/address-block';
import { limitRate, type Use, uncountUses, useByAddress } from '../../shared/rate-limits/limit-rate';
import { type TestContext, testContext } from '../setup/context';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext({
    RATE_LIMITS: 'on',
    RATE_LIMIT_LOGIN_ACCOUNT: '3/60',
    RATE_LIMIT_LOGIN_ADDRESS: '5/600',
  });
});
afterAll(() => ctx.close());
beforeEach(() => ctx.db.deleteFrom('rate_limits').execute());

const account = (subject: string): Use => ({ limit: 'loginAccount', subject });
const address = (subject: string): Use => ({ limit: 'loginAddress', subject });
const later = (seconds: number) => {
  ctx.clock.now = new Date(ctx.clock.now.getTime() + seconds * 1000);
};

/** 0 where it was let through, else what Retry-After says. */
async function retryAfter(...uses: Use[]): Promise<number> {
  try {
    await limitRate(ctx, uses);
    return 0;
  } catch (error) {
    expect(error).toMatchObject({ code: 'rate_limited', details: { headers: expect.anything() } });
    return Number((error as { details: { headers: Record<string, string> } }).details.headers['retry-after']);
  }
}

async function allowed(count: number, ...uses: Use[]): Promise<number> {
  const answers = await Promise.all(Array.from({ length: count }, () => retryAfter(...uses)));
  return answers.filter((seconds) => seconds === 0).length;
}

test('lets so many through, and says when the next may come', async () => {
  expect(await allowed(3, account('a'))).toBe(3);
  expect(await retryAfter(account('a'))).toBe(60);
  later(59.5);
  expect(await retryAfter(account('a'))).toBe(1);
  expect(await retryAfter(account('b'))).toBe(0);
  later(0.5);
  expect(await retryAfter(account('a'))).toBe(0);
});

test('does not count what it turned away: trying on keeps nobody out for longer', async () => {
  await allowed(100, account('a'));
  later(60);
  expect(await allowed(3, account('a'))).toBe(3);
});

test('is exact for many at once', async () => {
  expect(await allowed(50, account('a'))).toBe(3);
});

test('many at once on several counters do not lock one another out', async () => {
  const uses = Array.from({ length: 60 }, (_, i) => [
    address(`address ${i % 4}`),
    account(`account ${i % 3}`),
  ]);
  const answers = await Promise.all(uses.map((pair) => retryAfter(...pair)));
  expect(answers.filter((seconds) => seconds === 0).length).toBe(9);
});

test('counts no further limit after one that is used up', async () => {
  for (let i = 0; i < 5; i += 1) expect(await retryAfter(address('x'), account(`other ${i}`))).toBe(0);
  expect(await allowed(10, address('x'), account('victim'))).toBe(0);
  expect(await allowed(3, account('victim'))).toBe(3);
});

test('keeps limits of the same subject apart', async () => {
  expect(await allowed(4, account('same'))).toBe(3);
  expect(await allowed(6, address('same'))).toBe(5);
});

describe('a use that is given back', () => {
  test('can be had again', async () => {
    for (let i = 0; i < 10; i += 1) {
      expect(await retryAfter(account('a'))).toBe(0);
      await uncountUses(ctx.db, ctx, [account('a')]);
    }
    expect(await allowed(3, account('a'))).toBe(3);
  });

  test('frees one place, also while others are being turned away', async () => {
    await allowed(20, account('a'));
    await uncountUses(ctx.db, ctx, [account('a')]);
    expect(await allowed(5, account('a'))).toBe(1);
  });

  test('is none of a later window, and none that was never taken', async () => {
    await allowed(3, account('a'));
    later(60);
    await uncountUses(ctx.db, ctx, [account('a')]);
    await uncountUses(ctx.db, ctx, [account('b')]);
    expect([await allowed(5, account('a')), await allowed(5, account('b'))]).toEqual([3, 3]);
  });

  test('comes back for several limits at once, also where others count the same ones meanwhile', async () => {
    const uses = [...'abcdefgh'].map(account);
    await limitRate(ctx, uses);
    await limitRate(ctx, uses);
    const work = Array.from({ length: 60 }, async (_, index) => {
      if (index % 2 === 0) await retryAfter(...uses);
      else await uncountUses(ctx.db, ctx, uses);
    });
    // A deadlock would reject one of them.
    await Promise.all(work);
    await uncountUses(ctx.db, ctx, uses);
    const rows = await ctx.db.selectFrom('rate_limits').select('used').execute();
    expect(new Set(rows.map(({ used }) => used)).size).toBe(1);
  });
});

test('the table says nothing about anybody, and is emptied as it is used', async () => {
  for (let i = 0; i < 40; i += 1) await limitRate(ctx, [address(`192.0.2.${i}`), account(`gorden${i}`)]);
  const rows = await ctx.db.selectFrom('rate_limits').selectAll().execute();
  expect(rows).toHaveLength(80);
  expect(rows[0]?.key).toHaveLength(16);
  later(600);
  for (let i = 0; i < 8; i += 1) await limitRate(ctx, [account(`new ${i % 4}`)]);
  expect(await ctx.db.selectFrom('rate_limits').selectAll().execute()).toHaveLength(4);
});

test('is one statement, however many limits', async () => {
  const statements = jest.spyOn(ctx.db.getExecutor(), 'executeQuery');
  await limitRate(ctx, [address('a'), account('a')]);
  expect(statements).toHaveBeenCalledTimes(1);
  statements.mockRestore();
});

test('RATE_LIMITS=off counts nothing', async () => {
  const off = { ...ctx, config: { ...ctx.config, rateLimits: { ...ctx.config.rateLimits, enabled: false } } };
  for (let i = 0; i < 20; i += 1) await limitRate(off, [account('a')]);
  await uncountUses(off.db, off, [account('a')]);
  expect(await ctx.db.selectFrom('rate_limits').selectAll().execute()).toEqual([]);
});

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::ffff:c000:207', '192.0.2.7'],
  ['0:0:0:0:0:FFFF:192.0.2.7', '192.0.2.7'],
  ['0000:0000:0000:0000:0000:ffff:c000:0207', '192.0.2.7'],
  ['::ffff:0.0.0.7', '0.0.0.7'],
  ['::c000:207', '0:0:0:0::/64'],
  ['::ffff:0:c000:207', '0:0:0:0::/64'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002:ffff::1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['nonsense', 'nonsense'],
  [null, 'unknown'],
])('the block of %s is %s', (given, block) => {
  expect(addressBlock(given)).toBe(block);
  expect(useByAddress('loginAddress', given)).toEqual({ limit: 'loginAddress', subject: block });
});
