// A list that changes in place: htmx fetches the same page that a browser would, and changes what differs. What it leaves to
// the page stands here: fields left empty stay out of the address, the focus is kept, and going back is in place too.

// Asked for by #page, as what is clicked in it is: of two requests at a time the later one replaces the other (hx-sync), or
// the answer to a click would arrive after going back, and the list would not be the one of the address.
const SWAP = { source: "#page", target: "#page", select: "#page", selectOOB: "#language,#own", swap: "outerMorph" };

function show(path) {
  htmx.ajax("GET", path, SWAP);
}

document.addEventListener("htmx:before:history:restore", (event) => {
  event.preventDefault(); // htmx would put a new page in place of this one, and the photo would flash
  show(event.detail.path);
});

// Who goes back while the page is still loading has changed the address before htmx listens. A timer, for htmx begins in one.
setTimeout(() => {
  const loaded = new URL(performance.getEntriesByType("navigation")[0].name);
  const path = window.location.pathname + window.location.search;
  if (path !== loaded.pathname + loaded.search) show(path);
});

// The browser goes to where a list was left before the list is there again: in a shorter one it stops at the end. So each
// state of the page keeps its place, and the page goes there once more.
let left = null;

function keepPlace() {
  if (left === null && history.state?.htmx) history.replaceState({ ...history.state, place: window.scrollY }, "");
}

document.addEventListener("scrollend", keepPlace);
window.addEventListener("popstate", ({ state }) => (left = state?.place ?? null));
document.addEventListener("htmx:before:history:update", () => {
  left = null; // a click came before what was gone back to
  keepPlace();
});

// An element that htmx took away with the focus on it leaves the keyboard at the top of the page.
document.addEventListener("htmx:after:swap", () => {
  if (left !== null) window.scrollTo(0, left);
  left = null;
  if (document.activeElement === document.body) document.getElementById("list-title")?.focus({ preventScroll: true });
});

document.addEventListener("click", (event) => {
  event.target.closest("[data-closes] a")?.closest("[popover]")?.hidePopover();
});

const beside = window.matchMedia("(min-width: 62rem)");
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-filters]");
  if (form && (beside.matches || form.closest(":popover-open"))) form.requestSubmit();
});

function enable(form, on) {
  for (const field of form.querySelectorAll("input")) field.disabled = !on && !field.value.trim();
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-filters]");
  if (!form) return;
  enable(form, false);
  setTimeout(() => enable(form, true));
  if (event.submitter) form.closest(":popover-open")?.hidePopover();
}, true);

const worker = document.querySelector("link[rel=manifest]");
if (worker && "serviceWorker" in navigator) navigator.serviceWorker.register(new URL("sw.js", worker.href)).catch(() => {});
