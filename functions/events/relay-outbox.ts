// Every minute: sends the events that were not confirmed when they were written, and those that nobody sends inline.
import { publishingContext } from '../../shared/events/publisher';
import { type RelayReport, relayOutbox } from '../../shared/events/relay';

export async function handler(): Promise<RelayReport> {
  const ctx = publishingContext();
  return relayOutbox(ctx, ctx.config.relay.budgetMs);
}
