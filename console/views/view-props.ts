export interface ViewProps {
  /** What follows the view's name in the path. */
  args: string[];
  query: URLSearchParams;
}
