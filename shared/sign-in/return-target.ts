import type { Config } from '../config';

/** The console, on whatever host the pages are used. It has no URL in RETURN_URLS. */
export const CONSOLE_TARGET = 'console';

/** Whether a hosted page may go there with a code. Compared as text (RFC 9700, section 2.1). */
export function isReturnTarget({ pages, hasConsole }: Pick<Config, 'pages' | 'hasConsole'>, target: string) {
  return pages.returnUrls.includes(target) || (hasConsole && target === CONSOLE_TARGET);
}
