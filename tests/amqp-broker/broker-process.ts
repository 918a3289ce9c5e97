import { type ChildProcess, spawn } from 'node:child_process';

export interface BrokerProcess {
  readonly child: ChildProcess;
  readonly url: string;
  /** Resolves once the broker's log has such a line. */
  logged(pattern: RegExp): Promise<void>;
}

/** A broker as a process of its own, so that it can be killed, signalled and starved. */
export async function spawnBroker(...options: string[]): Promise<BrokerProcess> {
  const args = ['--import', 'tsx', 'local/amqp-broker/main.ts', '--port', '0', ...options];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  let wake: () => void = () => undefined;
  child.stderr.on('data', (chunk) => {
    log += chunk;
    wake();
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`the broker did not start: ${log}`)));
    child.stdout.on('data', (chunk) => {
      const [found] = /amqp:\S+/.exec(String(chunk)) ?? [];
      if (found) resolve(found);
    });
  });
  const logged = async (pattern: RegExp) => {
    while (!pattern.test(log)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { child, url, logged };
}

export function kill(child: ChildProcess): Promise<unknown> {
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  return exited;
}
