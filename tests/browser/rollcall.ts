import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { CaughtMail } from '../../local/mailbox-page';
import { freePort } from '../../local/ports';
import { ROOT } from '../../scripts/function-files';
import { VARIABLES } from '../../shared/config/environment';
import type { TestReply } from '../setup/http-event';

export const ADMIN = { username: 'admin', password: 'the password of the chief' };

export interface Rollcall {
  url: string;
  /** The mails that an address got, the newest first. */
  mailsTo(address: string): Promise<CaughtMail[]>;
  /** A request as the administrator. */
  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  stop(): Promise<void>;
}

type Answer = Pick<TestReply, 'status' | 'body'>;

/** `npm start`, on data and ports of its own. */
export async function startRollcall(environment: Record<string, string> = {}): Promise<Rollcall> {
  const dataDir = await mkdtemp(join(tmpdir(), 'rollcall-browser-'));
  // As root, PostgreSQL runs as another user, who has to get in.
  await chmod(dataDir, 0o755);
  const names = ['HTTP_PORT', 'LAMBDA_PORT', 'PG_PORT', 'AMQP_PORT', 'SMTP_PORT', 'MAIL_PORT'];
  const ports = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, String(await freePort())])),
  );
  const child = spawn(process.execPath, ['--import', 'tsx', 'local/start.ts'], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      // Set, if only to nothing, so that neither this shell nor a .env has a say.
      ...Object.fromEntries(VARIABLES.map((name) => [name, ''])),
      ...ports,
      DATA_DIR: join(dataDir, 'data'),
      ADMIN_PASSWORD: ADMIN.password,
      BCRYPT_COST: '4',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('npm start ended: see above')));
  const running = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('npm run reset')) resolve();
    });
  });
  await Promise.race([running, ended]);
  ended.catch(() => {});

  const url = `http://localhost:${ports['HTTP_PORT']}`;
  const send = async (
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
  ): Promise<Answer> => {
    const response = await fetch(url + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };
  const login = await send('POST', '/login', ADMIN, {});
  const mailsTo = async (address: string) => {
    const response = await fetch(`http://127.0.0.1:${ports['MAIL_PORT']}/messages`);
    const { messages } = (await response.json()) as { messages: CaughtMail[] };
    return messages.filter(({ to }) => to.includes(address));
  };
  return {
    url,
    mailsTo,
    request: (method, path, body, headers = {}) =>
      send(method, path, body, { authorization: `Bearer ${login.body.accessToken}`, ...headers }),
    stop: async () => {
      child.kill('SIGINT');
      await once(child, 'exit');
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
