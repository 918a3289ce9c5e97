import { type MailContent, renderMail } from './render-mail';

interface OverdueErasures {
  appName: string;
  publicUrl: string;
  /** How many answers each of the contact's services owes. */
  holders: [name: string, owed: number][];
}

/** Names no user: a case does not store who it was. */
export function overdueErasuresMail({ appName, publicUrl, holders }: OverdueErasures): MailContent {
  const total = holders.reduce((sum, [, owed]) => sum + owed, 0);
  const answers = total === 1 ? '1 erasure is' : `${total} erasures are`;
  return renderMail(appName, `${answers} overdue at ${appName}`, [
    {
      paragraph: `${appName} has deleted users, and these services have not confirmed that they erased them too.`,
    },
    { facts: holders.map(([name, owed]) => [name, `${owed} overdue`]) },
    {
      paragraph:
        'Erase what your service holds of these users, and answer with a receipt for each. Services with a queue have received the requests again.',
    },
    { paragraph: `The cases are listed at ${publicUrl}/erasures?state=overdue.` },
  ]);
}
