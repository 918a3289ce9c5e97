// Runs before `npm start` and `npm test`, without any package: installs the packages of the lock file if they are missing.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Rollcall needs Node.js 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

const changedAt = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
// npm writes this file at the end of an install, so an interrupted install does not count.
if (changedAt('node_modules/.package-lock.json') < changedAt('package-lock.json')) {
  console.log('Installing packages (once) …');
  const npm = process.env.npm_execpath;
  const [command, args] = npm ? [process.execPath, [npm, 'ci']] : ['npm', ['ci']];
  const { status } = spawnSync(command, args, { stdio: 'inherit', shell: !npm });
  if (status !== 0) {
    console.error('Installing the packages failed: see above. Run `npm ci` to repeat it.');
    process.exit(1);
  }
}
