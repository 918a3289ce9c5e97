import { createLog } from '../../shared/log';

function logged(write: (log: ReturnType<typeof createLog>) => void, level: 'info' | 'debug' = 'info') {
  const lines: Record<string, unknown>[] = [];
  write(createLog(level, (line) => void lines.push(JSON.parse(line))));
  return lines;
}

test('writes one JSON object per line, from the level up', () => {
  const lines = logged((log) => {
    log.debug('not this');
    log.warn('this', { n: 1 });
  });
  expect(lines).toEqual([{ time: expect.any(String), level: 'warn', message: 'this', n: 1 }]);
});

test('bound fields are on every later line; a child keeps its own to itself', () => {
  const lines = logged((log) => {
    const child = log.child({ requestId: 'r' });
    child.bind({ userId: 'u' });
    child.info('a');
    log.info('b');
  });
  expect(lines[0]).toMatchObject({ requestId: 'r', userId: 'u' });
  expect(lines[1]).not.toHaveProperty('requestId');
});

test('holds back secrets by their names, at any depth', () => {
  const secrets = {
    password: 'S1',
    nested: { accessToken: 'S2', passwordHash: 'S3', headers: { authorization: 'S4' } },
    email: 'S5',
    JWT_SECRET: 'S6',
    body: 'S7',
  };
  expect(JSON.stringify(logged((log) => log.info('x', secrets)))).not.toMatch(/S\d/);
});

test('shows how many passkeys were purged, which is no password', () => {
  const [line] = logged((log) => log.info('x', { passkeyChallenges: 3, pass: 'S1', passphrase: 'S2' }));
  expect(line).toMatchObject({ passkeyChallenges: 3, pass: '[redacted]', passphrase: '[redacted]' });
});

test('takes credentials out of connection strings, also inside error messages', () => {
  const cause = new Error('connect amqps://user:hunter2@mq.example.com/vhost failed');
  const [line] = logged((log) => log.error('x', { error: new Error('outer', { cause }) }));
  expect(JSON.stringify(line)).not.toContain('hunter2');
  expect(JSON.stringify(line)).toContain('amqps://***@mq.example.com/vhost');
});

test('looks for credentials once through a text, however long and whatever is in it', () => {
  // Begun anew at each word and read to the end, a few megabytes would take hours.
  for (const text of ['a.', 'a:', 'a://', 'a://b:c ', 'x+'])
    expect(logged((log) => log.info(text.repeat(1_000_000)))).toHaveLength(1);
});

test('an error is its name, message, code and stack, and nothing else that hangs on it', () => {
  const error = Object.assign(new TypeError('no'), {
    code: 'E1',
    detail: 'Key (email)=(a@b.c) already exists.',
  });
  const [line] = logged((log) => log.error('x', { error }));
  expect(line?.['error']).toEqual({
    name: 'TypeError',
    message: 'no',
    code: 'E1',
    stack: expect.any(String),
  });
});
