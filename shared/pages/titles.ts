/** The first title of each hosted page, by the last part of its path. */
export const TITLES = {
  'sign-in': 'Sign in',
  'sign-up': 'Create an account',
  'forgot-password': 'Reset your password',
  'reset-password': 'Choose a new password',
  'verify-email': 'Confirm your email address',
  'undo-email-change': 'Keep your email address',
  export: 'Download your data',
} as const;

export type PageName = keyof typeof TITLES;

export function isPageName(name: string): name is PageName {
  return Object.hasOwn(TITLES, name);
}
