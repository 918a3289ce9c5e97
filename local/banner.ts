import type { LocalSettings } from './settings';

/**
 * @param embedded the URLs of the servers that run with it
 * @param adminPassword null if an earlier start created the administrator
 */
export function printBanner(
  settings: LocalSettings,
  embedded: Record<string, string>,
  adminPassword: string | null,
): void {
  const http = `http://localhost:${settings.httpPort}`;
  const database = embedded['DATABASE_URL'] ?? 'see DATABASE_URL';
  const broker = embedded['RABBITMQ_URL'] ?? 'see RABBITMQ_URL or RABBITMQ_HOST';
  const mail = settings.hasMailServer ? 'see SMTP_URL' : settings.mailPage;
  const known =
    settings.adminPassword === undefined ? 'password as printed on the first start' : 'ADMIN_PASSWORD';
  const password = adminPassword === null ? `(${known})` : `password ${adminPassword}  (shown once)`;
  console.log(`
  Rollcall is running

    Console   ${http}
    Sign in   ${http}/sign-in
    API       ${http}/register  ${http}/login  ${http}/users/me
    Docs      ${http}/docs
    Health    ${http}/health
    Admin     ${settings.adminUsername}  ${password}
    Database  ${database}
    Broker    ${broker}
    Mail      ${mail}

    Stop with Ctrl-C.  The next start keeps the data;  npm run reset  deletes it.
`);
}
