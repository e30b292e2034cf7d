/** A comparison of one value of the request; the shape says which: `{header: "x-user", exact: "alice"}`. */
export interface Condition {
  header?: string;
  cookie?: string;
  query?: string;
  exact?: string;
  prefix?: string;
  suffix?: string;
  contains?: string;
  present?: boolean;
}

export interface Share<To> {
  to: To;
  /** Percent of the baseline's requests. */
  weight: number;
}

interface Common<From> {
  from: From;
  /** RFC 3339; past it the proxy ignores the route. */
  expires?: string;
}
export interface KeyRoute<From = string, To = string> extends Common<From> {
  key: string;
  to: To;
}
export interface WhenRoute<From = string, To = string> extends Common<From> {
  when: Condition[];
  to: To;
}
export interface SplitRoute<From = string, To = string> extends Common<From> {
  split: Share<To>[];
  /** The source whose value fixes the choice. */
  sticky?: string;
}

/** In a plugin configuration From and To are the names of clusters, in a route file those of services. */
export type Route<From = string, To = string> = KeyRoute<From, To> | WhenRoute<From, To> | SplitRoute<From, To>;

export interface Configuration<From = string, To = string> {
  keys: string[];
  routes: Route<From, To>[];
  explain: boolean;
  strict: boolean;
}
