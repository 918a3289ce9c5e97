// What becomes of a process of `serve` that hangs. The clock is the test's: the limit is five minutes.
import { EventEmitter } from 'node:events';
import { endIfHung, type Heartbeat, sendHeartbeats } from '../../scripts/serve/heartbeat';
import type { Task } from '../../scripts/serve/task';
import { createLog } from '../../shared/log';

const MINUTE_MS = 60_000;

let kill: jest.Mock;
let worker: EventEmitter & { process: { pid: number; kill: jest.Mock } };
let lines: string[];
beforeEach(() => {
  jest.useFakeTimers();
  kill = jest.fn();
  worker = Object.assign(new EventEmitter(), { process: { pid: 17, kill } });
  lines = [];
  endIfHung(
    worker,
    createLog('info', (line) => lines.push(line)),
  );
});
afterEach(() => jest.useRealTimers());

const send = (heartbeat: Heartbeat) => void worker.emit('message', heartbeat);
const task = (): Task => ({ name: 'relay-outbox', run: async () => {} });

test('a process whose runs end is left alone', () => {
  const relay = task();
  sendHeartbeats([relay], send);
  for (let minute = 0; minute < 60; minute += 1) {
    relay.runningSince = performance.now();
    jest.advanceTimersByTime(MINUTE_MS);
  }
  expect(kill).not.toHaveBeenCalled();
});

test('a process with a task that is stuck is stopped once the task has hung for five minutes', () => {
  const relay = task();
  sendHeartbeats([task(), relay], send);
  relay.runningSince = performance.now();
  jest.advanceTimersByTime(5 * MINUTE_MS);
  expect(kill).not.toHaveBeenCalled();
  jest.advanceTimersByTime(MINUTE_MS / 2);
  expect(kill.mock.calls).toEqual([['SIGTERM']]);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'error', pid: 17, stuck: ['relay-outbox'] });
});

test('a process that says nothing for five minutes, from its start or later, is killed', () => {
  jest.advanceTimersByTime(4 * MINUTE_MS);
  send({ stuck: [] });
  jest.advanceTimersByTime(5 * MINUTE_MS);
  expect(kill).not.toHaveBeenCalled();
  jest.advanceTimersByTime(MINUTE_MS / 2);
  expect(kill.mock.calls).toEqual([['SIGKILL']]);
});

test('a process that has ended is not killed: another may have its id', () => {
  worker.emit('exit');
  jest.advanceTimersByTime(60 * MINUTE_MS);
  expect(kill).not.toHaveBeenCalled();
  expect(jest.getTimerCount()).toBe(0);
});
