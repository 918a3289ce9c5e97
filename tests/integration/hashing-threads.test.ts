// The threads of `serve` for bcrypt, which Node.js itself does not compute.
import { execFile } from 'node:child_process';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import workerThreads, { type Worker } from 'node:worker_threads';
import bcrypt from 'bcryptjs';
import { createHashing } from '../../scripts/serve/hashing-threads';

const PASSWORD = 'a fine password';

const { Worker: StartThread } = workerThreads;
/** The threads that were started since the test began. */
let threads: Worker[];
beforeEach(() => {
  threads = [];
  jest.spyOn(workerThreads, 'Worker').mockImplementation((...args) => {
    const worker = new StartThread(...args);
    threads.push(worker);
    return worker;
  });
});
afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(threads.map((thread) => thread.terminate()));
});

test('compute what bcryptjs computes', async () => {
  const { bcrypt: onThread } = createHashing();
  const hash = await onThread.hash(PASSWORD, 4);
  expect(bcrypt.getRounds(hash)).toBe(4);
  expect(await bcrypt.compare(PASSWORD, hash)).toBe(true);
  expect(await onThread.compare(PASSWORD, await bcrypt.hash(PASSWORD, 4))).toBe(true);
  expect(await onThread.compare('wrong password', hash)).toBe(false);
  expect(await onThread.compare(PASSWORD, 'not a hash')).toBe(false);
});

test('leave the thread that serves free while they compute', async () => {
  const { bcrypt: onThread } = createHashing();
  await onThread.hash(PASSWORD, 4);
  let isDone = false;
  const hash = onThread.hash(PASSWORD, 12).then(() => (isDone = true));
  // bcryptjs in this thread would let it have a turn every 100 ms.
  let turns = 0;
  for (; !isDone; turns += 1) await turn();
  await hash;
  expect(turns).toBeGreaterThan(100);
});

test('start when they are needed, and no more than work at once', async () => {
  const { limit, bcrypt: onThread } = createHashing(2);
  expect(threads).toHaveLength(0);
  const passwords = Array.from({ length: 50 }, (_, index) => `${PASSWORD} ${index}`);
  const hashes = await Promise.all(passwords.map((each) => limit(() => onThread.hash(each, 4))));
  expect(threads).toHaveLength(2);
  for (const [index, hash] of hashes.entries())
    expect(await bcrypt.compare(passwords[index] ?? '', hash)).toBe(true);
});

test('take requests in their order, also after one that fails', async () => {
  const { limit, bcrypt: onThread } = createHashing(1);
  const order: number[] = [];
  const work = (index: number) =>
    limit(async () => {
      await onThread.hash(PASSWORD, index === 0 ? 8 : 4);
      order.push(index);
      if (index === 1) throw new Error('failed');
    });
  const results = await Promise.allSettled([0, 1, 2, 3].map(work));
  expect(order).toEqual([0, 1, 2, 3]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
});

test('are replaced when one dies, and its request is computed by another', async () => {
  const { limit, bcrypt: onThread } = createHashing(2);
  const stored = await bcrypt.hash(PASSWORD, 12);
  const compare = () => limit(() => onThread.compare(PASSWORD, stored));
  const answers = Promise.all([compare(), compare(), compare()]);
  while (threads.length < 2) await turn();
  await threads[0]?.terminate();
  expect(await answers).toEqual([true, true, true]);
  // While it is idle, too.
  await Promise.all(threads.map((thread) => thread.terminate()));
  expect(await compare()).toBe(true);
});

test('an error is the request that fails twice, and nothing else', async () => {
  const { bcrypt: onThread } = createHashing(1);
  // bcryptjs refuses what is not text, and the thread ends.
  await expect(onThread.hash(Object(1), 4)).rejects.toThrow('Illegal arguments');
  expect(threads).toHaveLength(2);
  expect(await onThread.compare(PASSWORD, await bcrypt.hash(PASSWORD, 4))).toBe(true);
});

test('keep a process alive while they compute, and no longer', async () => {
  const script = `
    const { createHashing } = require('./scripts/serve/hashing-threads');
    createHashing().bcrypt.hash('a fine password', 8).then((hash) => console.log(hash.slice(0, 7)));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '-e', script]);
  expect(stdout).toBe('$2b$08$\n');
});
