import { emails } from '../../functions/consumers/emails';
import type { UserEvent } from '../../shared/events/catalog';
import { consume } from './consume';
import { type TestContext, testContext } from './context';
import { type MailServer, startMailServer } from './mail-server';

export interface MailContext {
  ctx: TestContext;
  server: MailServer;
  /** Has the email consumer handle everything stored that it has not handled. @returns the mails that this sent */
  deliver(): Promise<MailServer['mails']>;
  /** The stored events about these users, in order. */
  eventsOf(...userIds: string[]): Promise<UserEvent[]>;
  close(): Promise<void>;
}

/** A context whose mails go to a real SMTP server of the test's own. */
export async function mailContext(environment: Record<string, string> = {}): Promise<MailContext> {
  const server = await startMailServer();
  const ctx = await testContext({
    SMTP_URL: server.url,
    PUBLIC_URL: 'https://app.example.com/',
    MAIL_FROM: 'Rollcall <no-reply@rollcall.example>',
    ...environment,
  });
  return {
    ctx,
    server,
    deliver: async () => {
      const before = server.mails.length;
      const { batchItemFailures } = await consume(
        emails(() => ctx),
        await readEvents(ctx),
      );
      if (batchItemFailures.length > 0) throw new Error(JSON.stringify(batchItemFailures));
      return server.mails.slice(before);
    },
    eventsOf: async (...userIds) =>
      (await readEvents(ctx)).filter((event) => userIds.includes(event.subject)),
    close: async () => {
      await ctx.close();
      await server.stop();
    },
  };
}

/** Every stored event as it is published. Only looks: what is sent stays sent. */
export async function readEvents(ctx: TestContext): Promise<UserEvent[]> {
  const rows = await ctx.db.selectFrom('events').selectAll().orderBy('position').execute();
  return rows.map(
    ({ id, type, subject, sequence, time, data }) =>
      ({
        specversion: '1.0',
        id,
        source: 'rollcall',
        type,
        subject,
        time: time.toISOString(),
        datacontenttype: 'application/json',
        sequence,
        data,
      }) as UserEvent,
  );
}
