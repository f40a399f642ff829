// Serves the page while there is no network. It keeps the page and the files that it names, and nothing else: requests of
// the API always go to the server.
const CACHE = "errand-page";
const page = new URL("./", self.location).href;

self.addEventListener("install", (event) => event.waitUntil(fetch(page).then(keep).then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate" && request.url.split(/[?#]/, 1)[0] === page) event.respondWith(newest(event));
  else if (request.url.startsWith(`${page}assets/`)) event.respondWith(kept(request));
});

/** The page of the server or, without one, the one that was kept. */
async function newest(event) {
  try {
    const response = await fetch(event.request);
    event.waitUntil(keep(response.clone()));
    return response;
  } catch (error) {
    const cached = await (await caches.open(CACHE)).match(page);
    if (cached) return cached;
    throw error;
  }
}

/** The name of an asset contains a hash of its content: a copy is never out of date. */
async function kept(request) {
  const cached = await (await caches.open(CACHE)).match(request.url);
  return cached ?? fetch(request);
}

/** Keeps a page and its files in place of the one before. Errors and pages of others, such as a proxy's sign-in, are not kept. */
async function keep(response) {
  if (!response.ok || response.redirected) return;
  const cache = await caches.open(CACHE);
  const html = await response.clone().text();
  const files = [...html.matchAll(/(?:src|href)="(\.\/assets\/[^"]+)"/g)].map(([, path]) => new URL(path, page).href);
  const present = new Set((await cache.keys()).map(({ url }) => url));
  await cache.addAll(files.filter((url) => !present.has(url)));
  await cache.put(page, response);
  for (const url of present) if (url !== page && !files.includes(url)) await cache.delete(url);
}
