// The build generates this module from serverless.yml: see scripts/bundle.ts.
declare module 'rollcall:routes' {
  import type { Handler } from '../../shared/http/endpoint';

  export const routes: { method: string; path: string; handler: Handler }[];
  /** Answers requests that match no route. */
  export const fallback: Handler;
}
