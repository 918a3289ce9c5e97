// Control characters and bidirectional controls. With them, a name could inject a header or a paragraph, or display as a
// different name.
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

/** Untrusted text on one line. */
export function oneLine(text: string): string {
  return text.replace(UNPRINTABLE, ' ').trim();
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** The same within HTML. */
export function escapeHtml(text: string): string {
  return escapeLines(oneLine(text));
}

/** Text within HTML, with its line breaks. */
export function escapeLines(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
