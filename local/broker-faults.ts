import { setTimeout as wait } from 'node:timers/promises';
import { type Broker, type BrokerOptions, startBroker } from './amqp-broker';

const FAULT_MS = 10_000;

export interface FaultyBroker {
  /** Resolves when the fault has begun. @returns false if there is none of that name */
  inject(fault: string): Promise<boolean>;
  stop(): Promise<void>;
}

/** The embedded broker, with faults that the console injects: real to its clients, and each ends by itself. */
export async function startFaultyBroker(options: BrokerOptions): Promise<FaultyBroker> {
  let broker: Broker | undefined = await startBroker(options);
  let isStopped = false;

  async function pause(): Promise<void> {
    const stopping = broker;
    broker = undefined;
    await stopping?.stop();
    void wait(FAULT_MS, undefined, { ref: false }).then(async () => {
      if (isStopped) return;
      // Another program may have taken the port meanwhile.
      broker = await startBroker(options).catch((error: unknown) => {
        console.error('The broker did not start again; start npm start again:', error);
        return undefined;
      });
    });
  }

  const faults: Record<string, () => unknown> = {
    'stop-broker': () => broker && pause(),
    'cut-connections': () => broker?.cutConnections(),
    'drop-confirms': () => {
      const faulty = broker;
      faulty?.withholdConfirms(true);
      void wait(FAULT_MS, undefined, { ref: false }).then(() => faulty?.withholdConfirms(false));
    },
  };
  return {
    inject: async (fault) => {
      if (!Object.hasOwn(faults, fault)) return false;
      await faults[fault]?.();
      return true;
    },
    stop: async () => {
      isStopped = true;
      await broker?.stop();
    },
  };
}
