import { useMemo, useSyncExternalStore } from "react";

/**
 * A view and its parameters, kept in the fragment of the URL. Routes are fragments, so that the server serves the page at
 * one path only: no route can hide a path of the API, relative URLs work below any prefix, and a proxy needs no rule.
 */
export type Route =
  | { view: "chat"; conversationId: string | null }
  | { view: "tasks"; list: string | null }
  | { view: "approvals" }
  | { view: "settings"; section: string | null };

/** Returns the URL of a route, for links. */
export function href(route: Route): string {
  const [first, second] = segments(route);
  return `#/${[first, second && encodeURIComponent(second)].filter(Boolean).join("/")}`;
}

function segments(route: Route): [string, string | null] {
  switch (route.view) {
    case "chat":
      return route.conversationId ? ["c", route.conversationId] : ["", null];
    case "tasks":
      return ["tasks", route.list];
    case "approvals":
      return ["approvals", null];
    case "settings":
      return ["settings", route.section];
  }
}

/** Parses a fragment. Unknown ones lead to a new chat. */
export function parseRoute(hash: string): Route {
  const [first = "", second] = hash.replace(/^#\/?/, "").split(/[/?]/, 2).map(decode);
  switch (first) {
    case "c":
      return { view: "chat", conversationId: second || null };
    case "tasks":
      return { view: "tasks", list: second || null };
    case "approvals":
      return { view: "approvals" };
    case "settings":
      return { view: "settings", section: second || null };
    default:
      return { view: "chat", conversationId: null };
  }
}

/** The token of a link that sets up the server, invites or resets a password, `#/join/TOKEN`; null without one. */
export function joinToken(): string | null {
  return /^#\/join\/([\w.~-]+)$/.exec(location.hash)?.[1] ?? null;
}

/** Why the sign-in at a provider failed, `#/sign-in?error=CODE`; null if it did not. */
export function signInError(): string | null {
  return /^#\/sign-in\?error=([\w.-]+)$/.exec(location.hash)?.[1] ?? null;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Shows a route. `replace` leaves no entry in the history. */
export function navigate(route: Route, options: { replace?: boolean } = {}): void {
  const url = href(route);
  if (url === location.hash) return;
  if (options.replace) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

const subscribe = (listener: () => void) => {
  addEventListener("hashchange", listener);
  addEventListener("popstate", listener);
  return () => {
    removeEventListener("hashchange", listener);
    removeEventListener("popstate", listener);
  };
};

/** The present route. */
export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  return useMemo(() => parseRoute(hash), [hash]);
}
