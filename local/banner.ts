import type { LocalServers } from './servers';
import type { LocalSettings } from './settings';

/** @param adminPassword null where the admin exists from an earlier start */
export function printBanner(
  settings: LocalSettings,
  servers: LocalServers,
  adminPassword: string | null,
): void {
  const http = `http://localhost:${settings.httpPort}`;
  const database = servers.environment['DATABASE_URL'] ?? 'as DATABASE_URL says';
  const broker = servers.environment['RABBITMQ_URL'] ?? 'as RABBITMQ_URL or RABBITMQ_HOST says';
  const mail = servers.mailPage ?? 'as SMTP_URL says';
  const known =
    settings.adminPassword === undefined ? 'password as printed at the first start' : 'ADMIN_PASSWORD';
  const password = adminPassword === null ? `(${known})` : `password ${adminPassword}  (shown once)`;
  console.log(`
  Rollcall is running

    API       ${http}/register  ${http}/login  ${http}/users/me
    Docs      ${http}/docs
    Health    ${http}/health
    Admin     ${settings.adminUsername}  ${password}
    Database  ${database}
    Broker    ${broker}
    Mail      ${mail}

    Stop with Ctrl-C.  Start again to go on with the same data;  npm run reset  drops it.
`);
}
