import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watchSources } from '../../local/watch';

let root: string;
let stop: () => void;
let onEdit: () => void = () => {};

/** @returns when the next edit is reported */
const nextEdit = () => new Promise<void>((resolve) => (onEdit = resolve));

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'rollcall-watch-'));
  for (const folder of ['functions/auth', 'shared', 'console', 'pages', 'scripts/serve'])
    await mkdir(join(root, folder), { recursive: true });
  stop = watchSources(async () => onEdit(), root);
});
afterEach(async () => {
  stop();
  await rm(root, { recursive: true });
});

test.each(['shared', 'functions/auth', 'scripts/serve'])(
  'a file in %s is an edit, also after the folder was taken away and brought back',
  async (folder) => {
    const file = join(root, folder, 'a.ts');
    for (const step of [
      () => writeFile(file, 'one'),
      () => rename(join(root, folder), join(root, 'elsewhere')),
      () => rename(join(root, 'elsewhere'), join(root, folder)),
      () => writeFile(file, 'two'),
    ]) {
      const reported = nextEdit();
      await step();
      await reported;
    }
  },
);
