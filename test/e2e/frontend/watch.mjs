// Collects what went wrong in a page.

/** Returns a function that lists uncaught errors and messages of the console, but for lost connections. */
export function watch(page) {
  const problems = [];
  page.on("pageerror", (error) => problems.push(`uncaught: ${error.stack ?? error}`));
  page.on("console", (message) => {
    // The browser itself logs each failed connection, which this suite causes.
    const isConnection = /WebSocket connection to|Failed to load resource: net::/.test(message.text());
    if (message.type() === "error" && !isConnection) problems.push(message.text());
  });
  return () => problems;
}
