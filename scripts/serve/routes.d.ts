// Made by the build from serverless.yml: see scripts/bundle.ts.
declare module 'rollcall:routes' {
  import type { Handler } from '../../shared/http/endpoint';

  export const routes: { method: string; path: string; handler: Handler }[];
  /** Answers what no route does. */
  export const fallback: Handler;
}
