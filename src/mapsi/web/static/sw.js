// Without a connection a page says so in its own words. Nothing else is kept here: a photo and its answer never are.

const PAGE = new URL("offline", self.registration.scope);
const KEPT = "offline-2";

function keep() {
  return caches.open(KEPT).then((kept) => kept.add(new Request(PAGE, { cache: "reload" })));
}

self.addEventListener("install", (event) => {
  event.waitUntil(keep());
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys().then((names) => Promise.all(names.map((name) => name !== KEPT && caches.delete(name)))));
});

self.addEventListener("fetch", (event) => {
  if (event.request.mode !== "navigate") return;
  const answer = fetch(event.request);
  event.respondWith(answer.catch(async () => (await caches.match(PAGE)) ?? Response.error()));
  // Whoever chooses another language reads the kept page in it too.
  const chosen = new URL(event.request.url).searchParams;
  if (chosen.has("lang") || chosen.has("in")) event.waitUntil(answer.then(keep).catch(() => {}));
});
