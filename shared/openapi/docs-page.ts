import { version } from 'openapi-explorer/package.json';

/**
 * The browser may load scripts and data from this service only. The renderer sets inline styles, which need
 * `unsafe-inline`; inline scripts and `eval` stay forbidden.
 */
export const DOCS_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** URLs are relative, so that the page also works if the API is served below a path. */
export const DOCS_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rollcall API</title>
<link rel="icon" href="data:,">
<script type="module" src="docs/openapi-explorer.js?v=${version}"></script>
<style>
body { margin: 0 }
openapi-explorer { --font-regular: system-ui, sans-serif; --font-mono: ui-monospace, monospace }
</style>
</head>
<body>
<openapi-explorer spec-url="openapi.json" display-nulls="true" hide-server-selection="true"
  nav-bg-color="#18181b" nav-hover-bg-color="#3f3f46" primary-color="#1d4ed8"></openapi-explorer>
</body>
</html>
`;
