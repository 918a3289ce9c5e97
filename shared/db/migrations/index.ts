import type { Migration } from 'kysely';
import * as usersAndSessions from './0001-users-and-sessions';
import * as events from './0002-events';
import * as refreshAndRateLimits from './0003-refresh-and-rate-limits';
import * as emails from './0005-emails';
import * as idempotencyAndImports from './0006-idempotency-and-imports';
import * as erasure from './0007-erasure';
import * as eventOperations from './0008-event-operations';
import * as webhooks from './0009-webhooks';
import * as analyticsAndAudit from './0010-analytics-and-audit';
import * as eventLogStart from './0011-event-log-start';
import * as provenSessions from './0012-proven-sessions';
import * as emailChanges from './0013-email-changes';
import * as hashCosts from './0014-hash-costs';
import * as auditDetails from './0016-audit-details';
import * as purging from './0017-purging';
import * as suspectedEvents from './0018-suspected-events';
import * as taskRuns from './0020-task-runs';
import * as passwords from './0021-passwords';
import * as dispatch from './0022-dispatch';
import * as argon2Hashes from './0023-argon2-hashes';
import * as eventHistory from './0024-event-history';
import * as secondFactors from './0025-second-factors';
import * as firstFactors from './0026-first-factors';
import * as passkeys from './0027-passkeys';
import * as mailedCodes from './0028-mailed-codes';
import * as signInCodes from './0029-sign-in-codes';
import * as erasureCases from './0030-erasure-cases';
import * as suspensions from './0031-suspensions';
import * as exports from './0032-exports';
import * as provenFormerEmails from './0033-proven-former-emails';

/** In order of their names. They are listed, not read from a folder, so that they are part of a bundle. */
export const migrations: Record<string, Migration> = {
  '0001-users-and-sessions': usersAndSessions,
  '0002-events': events,
  '0003-refresh-and-rate-limits': refreshAndRateLimits,
  '0005-emails': emails,
  '0006-idempotency-and-imports': idempotencyAndImports,
  '0007-erasure': erasure,
  '0008-event-operations': eventOperations,
  '0009-webhooks': webhooks,
  '0010-analytics-and-audit': analyticsAndAudit,
  '0011-event-log-start': eventLogStart,
  '0012-proven-sessions': provenSessions,
  '0013-email-changes': emailChanges,
  '0014-hash-costs': hashCosts,
  '0016-audit-details': auditDetails,
  '0017-purging': purging,
  '0018-suspected-events': suspectedEvents,
  '0020-task-runs': taskRuns,
  '0021-passwords': passwords,
  '0022-dispatch': dispatch,
  '0023-argon2-hashes': argon2Hashes,
  '0024-event-history': eventHistory,
  '0025-second-factors': secondFactors,
  '0026-first-factors': firstFactors,
  '0027-passkeys': passkeys,
  '0028-mailed-codes': mailedCodes,
  '0029-sign-in-codes': signInCodes,
  '0030-erasure-cases': erasureCases,
  '0031-suspensions': suspensions,
  '0032-exports': exports,
  '0033-proven-former-emails': provenFormerEmails,
};
