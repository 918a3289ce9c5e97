import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { versionOf } from '../assets';
import type { Config } from '../config';
import { escapeHtml } from '../plain-text';
import { CodeChallenge } from '../sign-in/code-fields';
import { isReturnTarget } from '../sign-in/return-target';
import type { PageQuery } from './page-query';
import { passkeyHosts } from './passkey-hosts';
import { themeStyle } from './theme';
import { isPageName, TITLES } from './titles';

export interface PageShell {
  html: string;
  /** Its Content-Security-Policy. */
  policy: string;
}

/**
 * A hosted page, which its script fills. It repeats nothing of the query: no token, and no URL that somebody has put into a
 * link. URLs are relative, so that it also works if the API is served below a path.
 */
export async function pageShell(config: Config, pathname: string, query: PageQuery): Promise<PageShell> {
  const [script, style] = await Promise.all([versionOf('pages', 'app.js'), versionOf('pages', 'app.css')]);
  const { brandColor, logo } = config.pages;
  const last = pathname.split('/').filter(Boolean).at(-1) ?? '';
  const page = isPageName(last) ? last : 'sign-in';
  const app = escapeHtml(config.mail.appName);
  const theme = themeStyle(brandColor);
  const data = {
    app,
    page,
    'passkey-hosts': passkeyHosts(config),
    ...(hasBadTarget(config, query) && { 'bad-target': '' }),
    ...(config.users.requireEmail && { 'requires-email': '' }),
    ...(config.hasEmailLogin && { 'email-login': '' }),
  };
  const attributes = Object.entries(data).map(([name, value]) => ` data-${name}="${value}"`);
  return {
    html: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${TITLES[page]} · ${app}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="pages/app.css?v=${style}">
<style>${theme}</style>
<script type="module" src="pages/app.js?v=${script}"></script>
</head>
<body${attributes.join('')}>
<header>${logo ? `<img src="${escapeHtml(logo.url)}" alt="${app}" height="48">` : `<p>${app}</p>`}</header>
<main id="page"></main>
<noscript><p>This page needs JavaScript.</p></noscript>
</body>
</html>
`,
    policy: policyOf(theme, logo?.source),
  };
}

/** Nothing from elsewhere but the logo, no inline script, no `eval`. `data:` is for the QR code of an authenticator app. */
function policyOf(theme: string, logoSource = ''): string {
  const themeHash = createHash('sha256').update(theme).digest('base64');
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'sha256-${themeHash}'`,
    `img-src data: ${logoSource}`.trim(),
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ');
}

/** Whether the link came with a URL that is not listed, or a challenge that no code could be bound to. */
function hasBadTarget(config: Config, { return_to, code_challenge }: PageQuery): boolean {
  return (
    (return_to !== undefined && !isReturnTarget(config, return_to)) ||
    (code_challenge !== undefined && !v.is(CodeChallenge, code_challenge))
  );
}
