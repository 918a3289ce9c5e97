import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { escapeLines } from '../shared/plain-text';

export interface CaughtMail {
  id: number;
  receivedAt: string;
  from: string;
  to: string[];
  subject: string;
  messageId: string;
  text: string;
  html: string | null;
  /** The URLs in the text. */
  links: string[];
}

/**
 * - `GET /`: the messages for a person, newest first
 * - `GET /messages`: the same as JSON
 * - `GET /messages/{id}.html`: one message's own HTML, for a frame
 */
export function answerMailbox(
  messages: CaughtMail[],
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const send = (status: number, type: string, body: string, policy = "default-src 'none'") =>
    response
      .writeHead(status, {
        'content-type': `${type}; charset=utf-8`,
        'content-security-policy': policy,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      })
      .end(body);
  // Against DNS rebinding: a foreign page could point its own name at this machine and read the mails.
  if (!/^(localhost|127\.0\.0\.1)(:\d+)?$/.test(request.headers.host ?? '')) {
    send(403, 'text/plain', 'Open this page as localhost.\n');
    return;
  }
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const id = /^\/messages\/(\d+)\.html$/.exec(pathname)?.[1];
  const html = messages.find((mail) => mail.id === Number(id))?.html;
  if (request.method !== 'GET') send(405, 'text/plain', 'Read only.\n');
  else if (pathname === '/') send(200, 'text/html', page(messages), PAGE_POLICY);
  else if (pathname === '/messages') send(200, 'application/json', JSON.stringify({ messages }));
  else if (html) send(200, 'text/html', `<base target="_blank">${html}`, MAIL_POLICY);
  else send(404, 'text/plain', 'Page not found.\n');
}

// Reloads the page only when there is new mail, so that opened messages stay open.
const SCRIPT = `setInterval(async () => {
  const { messages } = await (await fetch('/messages')).json();
  if ((messages[0]?.id ?? 0) > Number(document.body.dataset.newest)) location.reload();
}, 1000);`;
const SCRIPT_HASH = createHash('sha256').update(SCRIPT).digest('base64');
const PAGE_POLICY = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${SCRIPT_HASH}'; connect-src 'self'; frame-src 'self'`;
/** As in a mail program: no scripts, no remote content, and links open in a new window. */
const MAIL_POLICY =
  "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:";

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 760px; margin: 2rem auto; padding: 0 1rem; color: #18181b }
article { border: 1px solid #e4e4e7; border-radius: 8px; padding: 1rem; margin: 1rem 0 }
h2 { margin: 0; font-size: 1.1rem } header p { margin: 0; color: #71717a; font-size: .9rem }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f4f4f5; padding: .75rem; border-radius: 6px }
a { overflow-wrap: anywhere } iframe { width: 100%; height: 420px; border: 1px solid #e4e4e7 }`;

function page(messages: CaughtMail[]): string {
  const list = messages.map(article).join('\n') || '<p>No mail yet. Register a user to get one.</p>';
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Mailbox (${messages.length})</title><style>${STYLE}</style></head>
<body data-newest="${messages[0]?.id ?? 0}">
<h1>Mailbox</h1>
<p>Mail sent by Rollcall on this machine. None of it was delivered. <a href="/messages">As JSON</a></p>
${list}
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function article(mail: CaughtMail): string {
  const links = mail.links.map((link) => {
    const url = escapeLines(link);
    return `<li><a href="${url}" target="_blank" rel="noopener noreferrer">${url}</a></li>`;
  });
  const html =
    mail.html === null
      ? ''
      : `<details><summary>As HTML</summary><iframe sandbox="allow-popups allow-popups-to-escape-sandbox" loading="lazy" src="/messages/${mail.id}.html"></iframe></details>`;
  return `<article>
<header><h2>${escapeLines(mail.subject)}</h2>
<p>${escapeLines(mail.receivedAt)} · from ${escapeLines(mail.from)} to ${escapeLines(mail.to.join(', '))}</p></header>
<ul>${links.join('')}</ul>
<details><summary>As text</summary><pre>${escapeLines(mail.text)}</pre></details>
${html}
</article>`;
}
