import { escapeHtml, oneLine } from '../plain-text';

export interface MailContent {
  subject: string;
  text: string;
  html: string;
}

/** A part of an email. Strings are untrusted plain text of one line. */
export type Block =
  | { paragraph: string }
  | { button: string; url: string }
  | { code: string }
  | { facts: [label: string, value: string][] };

/** Renders the text and the HTML part from the same blocks, so that they match and escaping is in one place. */
export function renderMail(appName: string, subject: string, blocks: Block[]): MailContent {
  return {
    subject: oneLine(subject),
    text: `${blocks.map(textBlock).join('\n\n')}\n\n-- \n${oneLine(appName)}\n`,
    html: `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${escapeHtml(subject)}</title></head>
<body style="margin:0;padding:24px;background:#f4f4f5;font:16px/1.5 system-ui,sans-serif;color:#18181b">
<div style="max-width:520px;margin:0 auto;padding:24px;background:#ffffff;border-radius:8px">
${blocks.map(htmlBlock).join('\n')}
<p style="color:#71717a;font-size:14px">${escapeHtml(appName)}</p>
</div>
</body>
</html>
`,
  };
}

function textBlock(block: Block): string {
  if ('paragraph' in block) return oneLine(block.paragraph);
  if ('button' in block) return `${oneLine(block.button)}:\n${oneLine(block.url)}`;
  if ('code' in block) return oneLine(block.code);
  return block.facts.map(([label, value]) => `${oneLine(label)}: ${oneLine(value)}`).join('\n');
}

function htmlBlock(block: Block): string {
  if ('paragraph' in block) return `<p>${escapeHtml(block.paragraph)}</p>`;
  if ('button' in block) {
    const url = escapeHtml(block.url);
    return `<p><a href="${url}" style="display:inline-block;padding:10px 16px;background:#18181b;color:#ffffff;border-radius:6px;text-decoration:none">${escapeHtml(block.button)}</a></p>
<p style="color:#71717a;font-size:14px">Or open this link: ${url}</p>`;
  }
  if ('code' in block) {
    // One run of characters, which only its style spaces: a copy has no spaces, and a screen reader can spell it.
    return `<p style="margin:24px 0;font:700 28px/1 ui-monospace,monospace;letter-spacing:4px">${escapeHtml(block.code)}</p>`;
  }
  const rows = block.facts.map(
    ([label, value]) =>
      `<tr><td style="padding-right:16px;color:#71717a">${escapeHtml(label)}</td><td>${escapeHtml(value)}</td></tr>`,
  );
  return `<table>${rows.join('')}</table>`;
}
