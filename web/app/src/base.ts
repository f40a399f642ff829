const script = import.meta.url;

/**
 * The URL of the server, with a slash at the end. It may have a path, behind a proxy. Scripts are one folder below it:
 * assets/ when built, src/ in development.
 */
export const base = new URL("../", script);
