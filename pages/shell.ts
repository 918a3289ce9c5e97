import { isPageName, type PageName } from '../shared/pages/titles';

// What the server has written into the page: see shared/pages/shell.ts.
const { dataset } = document.body;

export const appName = dataset['app'] ?? '';
export const pageName: PageName = isPageName(dataset['page'] ?? '')
  ? (dataset['page'] as PageName)
  : 'sign-in';
export const hasEmailLogin = 'emailLogin' in dataset;
export const hasBadTarget = 'badTarget' in dataset;
export const requiresEmail = 'requiresEmail' in dataset;
