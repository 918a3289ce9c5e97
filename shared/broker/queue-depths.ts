import type { ChannelModel } from 'amqplib';
import { explainBrokerError } from './broker-error';

export interface QueueDepth {
  name: string;
  /** Messages that are delivered to nobody yet. */
  ready: number;
  consumers: number;
}

/**
 * How many messages wait in each of these queues, by passive declarations, which need no permission. Leaves out queues that
 * do not exist.
 * @throws BrokerError
 */
export async function queueDepths(
  model: Pick<ChannelModel, 'createChannel'>,
  names: string[],
): Promise<QueueDepth[]> {
  const depths: QueueDepth[] = [];
  let channel = await openChannel(model);
  for (const name of names) {
    try {
      const { messageCount, consumerCount } = await channel.checkQueue(name);
      depths.push({ name, ready: messageCount, consumers: consumerCount });
    } catch (error) {
      if (!isNotFound(error)) throw explainBrokerError(error);
      // The error has closed the channel.
      channel = await openChannel(model);
    }
  }
  // Not awaited: nothing depends on it, and a broker that has fallen silent would never answer.
  channel.close().catch(() => {});
  return depths;
}

async function openChannel(model: Pick<ChannelModel, 'createChannel'>) {
  const channel = await model.createChannel();
  channel.on('error', () => {});
  return channel;
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 404;
}
