// GET /health: 200 while users can register, which needs the database but not the broker; else 503.
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Health } from '../../shared/openapi/schemas';
import { checkHealth } from '../../shared/ops/check-health';
import { publishingContext } from '../../shared/outbox/publisher';

export const documentation = {
  summary: 'Health check',
  replies: {
    200: { description: 'Users can register, with or without the broker', body: Health },
    503: { description: 'The database is down', body: Health },
  },
} satisfies Documentation;

export const handler = endpoint({
  context: publishingContext,
  access: anyone,
  handle: async ({ ctx }) => {
    const report = await checkHealth(ctx);
    return reply(report.database === 'up' ? 200 : 503, report);
  },
});
