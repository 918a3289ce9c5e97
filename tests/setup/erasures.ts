import { sql } from 'kysely';
import { handler as eraseUser } from '../../functions/erasures/erase-user';
import { handler as getErasure } from '../../functions/erasures/get-erasure';
import { handler as putDataHolder } from '../../functions/erasures/put-data-holder';
import { handler as requestExport } from '../../functions/erasures/request-export';
import type { RmqEvent } from '../../shared/lambda/rmq-event';
import type { TestContext } from './context';
import { call } from './http';
import type { Person } from './people';
import { rmqEvent } from './rmq';

/** Registers a data holder. */
export async function holder(
  ctx: TestContext,
  admin: Person,
  name: string,
  settings: object = {},
): Promise<void> {
  const { accessToken: token } = admin;
  const { status, body } = await call(putDataHolder, ctx, {
    method: 'PUT',
    params: { name },
    body: settings,
    token,
  });
  if (status !== 201 && status !== 200) throw new Error(`No holder: ${JSON.stringify(body)}`);
}

/** Has somebody erase themselves. @returns the case */
export async function erase(ctx: TestContext, { accessToken: token }: Person) {
  const { status, body } = await call(eraseUser, ctx, { method: 'POST', params: { id: 'me' }, token });
  if (status !== 202) throw new Error(`Not erased: ${JSON.stringify(body)}`);
  return body;
}

export async function caseOf(ctx: TestContext, admin: Person, id: string) {
  return (await call(getErasure, ctx, { params: { id }, token: admin.accessToken })).body;
}

/** Requests an export of somebody's own data. @returns the case */
export async function requestOwnExport(ctx: TestContext, { accessToken: token }: Person) {
  const { status, body } = await call(requestExport, ctx, { method: 'POST', params: { id: 'me' }, token });
  if (status !== 202) throw new Error(`Not requested: ${JSON.stringify(body)}`);
  return body;
}

/** Everything that is stored or logged of cases and receipts, as text. */
export async function storedText(ctx: TestContext): Promise<string> {
  const { rows } = await sql<{ text: string }>`
    select string_agg(row, ' ') as text from (
      select export_cases::text as row from export_cases union all
      select encode(coalesce(part, ''), 'escape') from export_receipts union all
      select events::text from events union all
      select audit_log::text from audit_log union all
      select coalesce(error, '') || coalesce(encode(body, 'escape'), '') from dead_letters
    ) as stored`.execute(ctx.db);
  return `${rows[0]?.text} ${JSON.stringify(ctx.logged)}`;
}

/** A batch of messages, whatever they are, as the function of their queue gets it. */
export function messages(queue: string, ...bodies: (string | Buffer | object)[]): RmqEvent {
  const template = rmqEvent([]);
  return {
    ...template,
    rmqMessagesByQueue: {
      [`${queue}::/`]: bodies.map((body) => ({
        basicProperties: {
          contentType: 'application/json',
          contentEncoding: null,
          headers: null,
          deliveryMode: 2,
          priority: null,
          correlationId: null,
          replyTo: null,
          expiration: null,
          messageId: null,
          timestamp: null,
          type: null,
          userId: null,
          appId: null,
          clusterId: null,
          bodySize: 1,
        },
        redelivered: false,
        data: Buffer.from(
          typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
        ).toString('base64'),
      })),
    },
  };
}
