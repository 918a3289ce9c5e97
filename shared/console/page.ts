import { versionOf } from '../assets';
import type { Config } from '../config';
import { passkeyHosts } from '../pages/passkey-hosts';
import { escapeHtml } from '../plain-text';

/** No inline script or style, no `eval`, and nothing from elsewhere. */
export const CONSOLE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

/** The shell, which the script fills. URLs are relative, so that it also works if the API is served below a path. */
export async function consolePage({ mail, passkeys }: Pick<Config, 'mail' | 'passkeys'>): Promise<string> {
  const [script, style] = await Promise.all([
    versionOf('console', 'app.js'),
    versionOf('console', 'app.css'),
  ]);
  const name = escapeHtml(mail.appName);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${name} console</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="console/app.css?v=${style}">
<script type="module" src="console/app.js?v=${script}"></script>
</head>
<body data-app="${name}" data-passkey-hosts="${passkeyHosts({ passkeys })}">
<div id="app"></div>
<noscript>The console needs JavaScript.</noscript>
</body>
</html>
`;
}
