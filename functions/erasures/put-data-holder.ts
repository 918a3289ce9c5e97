// PUT /data-holders/{name}: registers a service that holds copies of users' data, or replaces its settings.
import * as v from 'valibot';
import { containerContext } from '../../shared/context/context';
import { putDataHolder } from '../../shared/erasure/change-data-holder';
import { assertHolderName, HolderSettingsBody } from '../../shared/erasure/data-holder';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { IfMatch } from '../../shared/http/headers';
import { headers, json, path } from '../../shared/http/parts';
import { createdReply, recordReply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { DataHolder } from '../../shared/openapi/schemas';

export const documentation = {
  summary: 'Register a data holder, or replace its settings',
  description:
    'From then on, each erasure awaits its receipt within `deadlineSeconds`. It answers by AMQP, or by HTTP with a key. `contact` is told of overdue answers, and the request is sent to `queue` again. Cases that are open already do not change.',
  example: { deadlineSeconds: 604_800, contact: 'crm-team@example.com', queue: 'crm.rollcall' },
  replies: {
    200: { description: 'The changed data holder', body: DataHolder, headers: ['etag'] },
    201: { description: 'The new data holder', body: DataHolder, headers: ['location', 'etag'] },
  },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('erasures:write'),
  path: path({ name: v.string() }),
  headers: headers({ 'if-match': IfMatch }),
  body: json(HolderSettingsBody),
  handle: async ({ ctx, path, headers, body, origin }) => {
    assertHolderName(path.name);
    const { holder, created } = await putDataHolder(ctx, path.name, body, headers['if-match'], origin);
    return created ? createdReply(`/data-holders/${holder.name}`, holder, holder) : recordReply(holder);
  },
});
