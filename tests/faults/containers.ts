import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { buildProgram } from '../../scripts/bundle';
import type { ContainerSettings, FromContainer, Role, ToContainer } from './container';
import type { CrashPoint } from './crash-points';

/** Bundled once, so that a container that was killed is back in a tenth of a second. */
export const bundleContainer = (directory: string) => buildProgram('tests/faults/container.ts', directory);

export interface CrashPlan {
  point: CrashPoint;
  /** How many of this role's processes die, one after the other. */
  times: number;
  /** Each dies in its first so many passings of the point. */
  within: number;
}

/** A process in a role, started again for as long as it is wanted, as Lambda would. */
export class Container {
  #child: ChildProcess | undefined;
  #wanted = true;
  #crashesLeft: number;
  kills = 0;

  constructor(
    readonly file: string,
    readonly settings: ContainerSettings,
    readonly crashPlan: CrashPlan | null,
    readonly onMessage: (message: FromContainer, container: Container) => void,
    /** It died with a request in its hands, or without. */
    readonly onDeath: (container: Container) => void,
  ) {
    this.#crashesLeft = crashPlan?.times ?? 0;
  }

  get role(): Role {
    return this.settings.role;
  }

  async start(): Promise<void> {
    const crash =
      this.crashPlan && this.#crashesLeft > 0
        ? // Somewhere in a batch, and not always at the same place.
          { point: this.crashPlan.point, at: 1 + Math.floor(Math.random() * this.crashPlan.within) }
        : null;
    const child = fork(this.file, {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    const ready = new Promise<void>((resolve) => {
      child.on('message', (message: FromContainer) => {
        if (message.kind === 'ready') resolve();
        else this.onMessage(message, this);
      });
      child.once('exit', () => resolve());
    });
    child.once('exit', (_code, signal) => {
      if (!this.#wanted) return;
      if (signal === 'SIGKILL') {
        this.kills += 1;
        this.#crashesLeft -= 1;
      }
      void this.start().then(() => this.onDeath(this));
    });
    this.send({ kind: 'start', settings: { ...this.settings, crash } });
    await ready;
  }

  send(message: ToContainer): void {
    if (this.#child?.connected) this.#child.send(message);
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** With other faults from now on. */
  async restart(changes: Partial<ContainerSettings>): Promise<void> {
    await this.stop();
    Object.assign(this.settings, changes);
    this.#wanted = true;
    await this.start();
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }
}
