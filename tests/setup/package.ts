import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { VARIABLES } from '../../shared/config/environment';

export interface TemplateResource {
  Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: the properties of any resource there is; the checks look into them
  Properties: Record<string, any>;
  DependsOn?: string | string[];
  [attribute: string]: unknown;
}
export interface Template {
  Resources: Record<string, TemplateResource>;
  Outputs: Record<string, unknown>;
}

/** A copy of what packaging reads, so that it gets in nobody's way. The bundles are those of this run's start. */
export async function copyOfService(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'rollcall-package-'));
  for (const name of ['serverless.yml', 'package.json', 'dist']) {
    await cp(name, join(directory, name), { recursive: true, filter: (file) => !file.endsWith('.map') });
  }
  for (const name of ['node_modules', 'scripts', 'local', 'shared', 'functions', 'tsconfig.json']) {
    await symlink(resolve(name), join(directory, name));
  }
  return directory;
}

/**
 * `sls package` without credentials and without network.
 * @returns the template, and the directory with the archives
 */
export async function packageStage(
  directory: string,
  stage: string,
  parameters: Record<string, string> = {},
  environment: Record<string, string> = {},
): Promise<{ template: Template; output: string }> {
  const output = join(directory, `out-${stage}-${Object.keys(parameters).length}`);
  const params = Object.entries(parameters).flatMap(([name, value]) => ['--param', `${name}=${value}`]);
  await promisify(execFile)(
    process.execPath,
    [
      resolve('node_modules/serverless/bin/serverless.js'),
      'package',
      '--stage',
      stage,
      '--package',
      output,
      ...params,
    ],
    {
      cwd: directory,
      env: {
        PATH: process.env['PATH'],
        HOME: directory,
        ...Object.fromEntries(VARIABLES.map((name) => [name, ''])),
        ...environment,
        // Nobody listens there: who asks for credentials or for the cloud, fails.
        HTTPS_PROXY: 'http://127.0.0.1:9',
        AWS_EC2_METADATA_DISABLED: 'true',
      },
    },
  );
  const text = await readFile(join(output, 'cloudformation-template-update-stack.json'), 'utf8');
  return { template: JSON.parse(text), output };
}
