import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Job, JobResult } from './client';

/** Sends a load from a process of its own. */
export interface Load {
  /** @throws Error if a request fails or gets another status than it should */
  run(job: Job): Promise<JobResult>;
  close(): void;
}

export function startLoad(): Load {
  const child = fork(join(__dirname, 'client.ts'), { execArgv: ['--import', 'tsx'] });
  const ended = once(child, 'exit').then(() => {
    throw new Error('The load failed: see above');
  });
  ended.catch(() => {});
  return {
    run: async (job) => {
      child.send(job);
      const [result] = await Promise.race([once(child, 'message'), ended]);
      return result as JobResult;
    },
    close: () => child.disconnect(),
  };
}
