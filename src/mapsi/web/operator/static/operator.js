// The operator's pages stay true by themselves: a small document is asked for every few seconds; where it has changed, the
// page is fetched again and its parts are put in place. Moments are told by the browser's own clock.

const SECONDS = 3;
const ITSELF = { "Mapsi-Live": "1" };
const language = document.documentElement.lang;
const spans = new Intl.RelativeTimeFormat(language, { numeric: "always" });
const now = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(0, "second");
const clock = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });
const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

export function tellTimes() {
  for (const moment of document.querySelectorAll("[data-moment]")) {
    const at = new Date(moment.dateTime);
    const seconds = Math.round((at - Date.now()) / 1000);
    const [unit, length] = units.find(([, length]) => Math.abs(seconds) >= 0.98 * length) ?? units.at(-1);
    moment.textContent = Math.abs(seconds) < 5 ? now : spans.format(Math.round(seconds / length), unit);
    moment.title = clock.format(at);
  }
  for (const moment of document.querySelectorAll("[data-exact]")) moment.textContent = clock.format(new Date(moment.dateTime));
}

function replaceParts(fresh) {
  const here = document.activeElement?.id;
  const open = [...document.querySelectorAll("details[open]")].map((one) => one.closest("[data-part]")?.id);
  for (const part of document.querySelectorAll("[data-part]")) {
    const next = fresh.getElementById(part.id);
    if (!next) continue;
    if (open.includes(part.id)) next.querySelector("details")?.setAttribute("open", "");
    part.replaceWith(document.adoptNode(next));
  }
  if (here && document.activeElement?.id !== here) document.getElementById(here)?.focus({ preventScroll: true });
  tellTimes();
}

async function look(live) {
  if (document.hidden) return;
  const answer = await fetch(live.dataset.live, { headers: ITSELF });
  if (answer.status === 401) return location.reload();
  if (!answer.ok) return;
  const { version } = await answer.json();
  if (version === live.dataset.version) return;
  const page = await fetch(location.href, { headers: ITSELF });
  if (!page.ok) return;
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
  replaceParts(fresh);
  live.dataset.version = fresh.getElementById("live").dataset.version;
}

tellTimes();
setInterval(tellTimes, 15_000);
const live = document.getElementById("live");
if (live) {
  const again = () => setTimeout(() => look(live).catch(() => {}).finally(again), SECONDS * 1000);
  again();
  // Whoever comes back to the page sees how things stand now, not how they stood.
  document.addEventListener("visibilitychange", () => look(live).catch(() => {}));
}
