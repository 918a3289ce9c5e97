// The build generates this module from the files in functions/: see scripts/bundle.ts.
declare module 'rollcall:functions' {
  export const functions: Record<string, (event: never, context?: never) => Promise<unknown>>;
}
