const script = import.meta.url;

/**
 * The URL of the server, with a slash at the end. It may have a path, behind a proxy. Scripts are two folders below it:
 * playground/assets/ when built, playground/src/ in development.
 */
export const base = new URL("../../", script);
