// GET /health: 200 while users can register, which takes the database and not the broker; else 503.

import { endpoint } from '../../shared/http/endpoint';
import { type Reply, reply } from '../../shared/http/reply';
import type { Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { Health } from '../../shared/openapi/schemas';
import { checkHealth } from '../../shared/ops/check-health';
import { type BrokerContext, publishingContext } from '../../shared/outbox/publisher';

export const operation = {
  summary: 'Ask how the service is',
  auth: 'none',
  replies: {
    200: { description: 'Users can register, with or without the broker', body: Health },
    503: { description: 'The database is down', body: Health },
  },
} satisfies Operation;

export async function health(_request: Request, ctx: BrokerContext): Promise<Reply> {
  const report = await checkHealth(ctx);
  return reply(report.database === 'up' ? 200 : 503, report);
}

export const handler = endpoint(publishingContext, health);
