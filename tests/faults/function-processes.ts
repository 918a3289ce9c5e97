import { type ChildProcess, fork } from 'node:child_process';
import type { Invoke, InvokeOutcome } from '../../shared/lambda/invoke';
import { within } from '../../shared/within';
import type { ContainerSettings, FromContainer, ToContainer } from './container';

/**
 * Calls each function in a process of its own, which is kept for the next call, and killed where it takes longer than
 * Lambda lets it: nothing that it was at ends by itself.
 */
export function invokeInProcesses(
  settings: ContainerSettings,
  tell: (message: FromContainer) => void,
): Invoke {
  const children = new Map<string, ChildProcess>();
  const timeoutMs = settings.functionTimeoutMs ?? 0;
  const own: ContainerSettings = {
    ...settings,
    role: 'function',
    environment: { ...settings.environment, DATABASE_POOL_SIZE: '1' },
  };

  async function start(): Promise<ChildProcess> {
    const [, file = ''] = process.argv;
    const child = fork(file, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    child.on('message', (message: FromContainer) => {
      if (message.kind === 'log') tell(message);
    });
    const ready = heard(child, ({ kind }) => kind === 'ready');
    const begin: ToContainer = { kind: 'start', settings: own };
    child.send(begin);
    await ready;
    return child;
  }

  return async (name, payload) => {
    const child = children.get(name) ?? (await start());
    children.set(name, child);
    const answer = heard(child, ({ kind }) => kind === 'answer');
    const call: ToContainer = { kind: 'invoke', name, payload };
    child.send(call);
    const message = await within(timeoutMs, answer, null);
    if (message?.kind === 'answer') return message.outcome;
    child.kill('SIGKILL');
    children.delete(name);
    return {
      kind: 'failed',
      reason: `Task timed out after ${timeoutMs / 1000} seconds`,
    } satisfies InvokeOutcome;
  };
}

function heard(child: ChildProcess, wanted: (message: FromContainer) => boolean): Promise<FromContainer> {
  return new Promise((resolve) => {
    const listen = (message: FromContainer) => {
      if (!wanted(message)) return;
      child.off('message', listen);
      resolve(message);
    };
    child.on('message', listen);
  });
}
