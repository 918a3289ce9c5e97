import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const EXAMPLES = 'examples/consumers';

/** How an example is started, or why it cannot be here. */
export type Launch = { command: string[] } | { unavailable: string };

export interface Language {
  name: string;
  launch: Launch;
}

const built = mkdtempSync(join(tmpdir(), 'rollcall-examples-'));
export const removeBuilt = () => rmSync(built, { recursive: true, force: true });

function python(): Launch {
  // Debian's packages are those of Debian's own Python, which need not be the first in PATH.
  for (const command of ['python3', '/usr/bin/python3']) {
    const { status } = spawnSync(command, ['-c', 'import pika, jsonschema']);
    if (status === 0) return { command: [command, join(EXAMPLES, 'python/consumer.py')] };
  }
  return { unavailable: 'no python3 has the packages pika and jsonschema' };
}

function go(): Launch {
  const binary = join(built, 'consumer');
  // Debian's packages are found in this GOPATH, without a network.
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '' };
  const { error, status, stderr } = spawnSync('go', ['build', '-o', binary, `./${EXAMPLES}/go`], { env });
  if (status === 0) return { command: [binary] };
  return { unavailable: error ? 'there is no go' : String(stderr).trim() };
}

export const LANGUAGES: Language[] = [
  {
    name: 'TypeScript',
    launch: { command: [process.execPath, '--import', 'tsx', join(EXAMPLES, 'typescript/consumer.ts')] },
  },
  { name: 'Python', launch: python() },
  { name: 'Go', launch: go() },
];
