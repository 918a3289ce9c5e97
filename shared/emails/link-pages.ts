import { createHash } from 'node:crypto';
import { escapeHtml } from '../plain-text';

export interface LinkPage {
  html: string;
  /** A Content-Security-Policy that allows only the page's own script and style. */
  policy: string;
}

/**
 * The page that verification emails link to, unless PUBLIC_URL is an application with its own pages. Opening the page
 * changes nothing, because mail scanners open links and would use the token before the user does.
 */
export function verifyEmailPage(appName: string): LinkPage {
  return linkPage(
    appName,
    'Confirm your email address',
    '<button>Confirm email address</button>',
    'Your email address is confirmed.',
  );
}

const NEW_PASSWORD = `<label>New password <input name="password" type="password" autocomplete="new-password" required></label>
`;

/** The page that password reset emails link to. */
export function resetPasswordPage(appName: string): LinkPage {
  return linkPage(
    appName,
    'Choose a new password',
    `${NEW_PASSWORD}<button>Set password</button>`,
    'Your password was changed. You can now log in.',
  );
}

/** The page that email change notices link to. */
export function undoEmailChangePage(appName: string): LinkPage {
  return linkPage(
    appName,
    'Keep your email address',
    `<p>Someone who knows your password requested a different email address. Set a new password to keep yours. You will be logged out on all devices.</p>
${NEW_PASSWORD}<button>Keep my email address</button>`,
    'Your email address was kept and your password was changed. You can now log in.',
  );
}

const STYLE = `
body { margin: 0; padding: 2rem 1rem; background: #f4f4f5; font: 16px/1.5 system-ui, sans-serif; color: #18181b }
main { max-width: 420px; margin: 0 auto; padding: 1.5rem; background: #fff; border-radius: 8px }
h1 { margin-top: 0; font-size: 1.3rem } label, input, button { display: block; width: 100%; box-sizing: border-box }
input { margin: .25rem 0 1rem; padding: .5rem; font: inherit }
button { padding: .6rem; border: 0; border-radius: 6px; background: #18181b; color: #fff; font: inherit; cursor: pointer }`;

// Posts to the same path. Removes the token from the address bar, so that it does not stay in the browser history.
const SCRIPT = `
const form = document.querySelector('form');
const status = document.querySelector('[role=status]');
const token = new URLSearchParams(location.search).get('token') ?? '';
history.replaceState(null, '', location.pathname);
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  form.inert = true;
  status.textContent = '';
  try {
    const response = await fetch(location.pathname, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, ...Object.fromEntries(new FormData(form)) }),
    });
    if (response.ok) {
      form.hidden = true;
      status.textContent = form.dataset.done;
      return;
    }
    const problem = await response.json();
    status.textContent = problem.errors?.map(({ path, message }) => path + ' ' + message).join(', ') ?? problem.title;
  } catch {
    status.textContent = 'We could not reach the server. Please try again in a moment.';
  }
  form.inert = false;
});`;

const sourceOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

function linkPage(appName: string, title: string, fields: string, done: string): LinkPage {
  return {
    html: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title} · ${escapeHtml(appName)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<form method="post" data-done="${done}">
${fields}
</form>
<p role="status"></p>
<noscript><p>This page needs JavaScript.</p></noscript>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`,
    policy: `default-src 'none'; style-src ${sourceOf(STYLE)}; script-src ${sourceOf(SCRIPT)}; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
  };
}
