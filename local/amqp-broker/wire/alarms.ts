/** The resources that RabbitMQ raises alarms for (https://www.rabbitmq.com/docs/alarms). */
export type Resource = 'memory' | 'disk';

/** Who raised an alarm. It lasts until each of them has cleared it. */
type Source = 'operator' | 'journal';

/** The resource alarms of the broker. While one is raised, connections that publish are blocked. */
export class Alarms {
  readonly #raised = new Map<Resource, Set<Source>>();

  /** `onClear` is called when the last alarm is cleared. */
  constructor(private readonly onClear: () => void) {}

  /** The reason that `connection.blocked` gives, in RabbitMQ's words; undefined while no alarm is raised. */
  get reason(): string | undefined {
    return this.#raised.size === 0 ? undefined : `low on ${[...this.#raised.keys()].sort().join(' & ')}`;
  }

  raise(resource: Resource, source: Source): void {
    const sources = this.#raised.get(resource) ?? new Set();
    this.#raised.set(resource, sources.add(source));
  }

  clear(resource: Resource, source: Source): void {
    const sources = this.#raised.get(resource);
    if (!sources?.delete(source) || sources.size > 0) return;
    this.#raised.delete(resource);
    if (this.#raised.size === 0) this.onClear();
  }
}

/**
 * Blocks one connection while an alarm is raised. Like RabbitMQ, it does so only once the connection publishes:
 * connections that only consume go on, and drain the queues.
 */
export class PublisherBlock {
  #publishes = false;
  #active = false;

  /** `block` is called with the reason when the connection has to be blocked. */
  constructor(
    private readonly alarms: Alarms,
    private readonly block: (reason: string) => void,
  ) {}

  onPublish(): void {
    this.#publishes = true;
    this.#start();
  }

  onHold(): void {
    if (this.#publishes) this.#start();
  }

  /** Returns whether the connection was blocked. */
  lift(): boolean {
    const wasActive = this.#active;
    this.#active = false;
    return wasActive;
  }

  #start(): void {
    const { reason } = this.alarms;
    if (this.#active || reason === undefined) return;
    this.#active = true;
    this.block(reason);
  }
}
