// The review page: where the person is, what they decide, and that every decision is saved in order.
"use strict";

const body = document.body;
const words = body.dataset;
const tiles = [...document.querySelectorAll(".rv-tile")];
const byId = (id) => document.getElementById(id);
const choices = [...byId("choices").children];
const nameOf = Object.fromEntries(choices.map((item) => {
  const button = item.firstElementChild;
  return [button.dataset.slug, button.querySelector("span").textContent];
}));
const ownName = document.querySelector("h1").textContent;
let here = Math.max(0, tiles.findIndex((tile) => !tile.dataset.state));

// --- where the person is

const go = (to, options = {}) => {
  if (!tiles.length) return;
  const old = tiles[here];
  old.removeAttribute("aria-current");
  old.tabIndex = -1;
  here = Math.min(Math.max(to, 0), tiles.length - 1);
  const tile = tiles[here];
  tile.setAttribute("aria-current", "true");
  tile.tabIndex = 0;
  if (options.focus !== false) tile.focus({preventScroll: true});
  tile.scrollIntoView({block: "nearest", behavior: options.instant || calm() ? "instant" : "smooth"});
  tellAbout(tile);
};
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

const columns = () => {
  const top = tiles[0].parentElement.offsetTop;
  const count = tiles.findIndex((tile) => tile.parentElement.offsetTop > top);
  return count < 0 ? tiles.length : count;
};

const undecided = (from) => {
  const order = [...tiles.keys()].map((step) => (from + step) % tiles.length);
  return order.find((index) => !tiles[index].dataset.state);
};

const guessesOf = (tile) => tile.dataset.guesses.split(" ").filter(Boolean).map((guess) => guess.split(":"));
const className = (slug) => nameOf[slug] ?? ownName;

// The model's likeliest classes, and the photo's own among them whatever its share.
const modelSays = (tile) => {
  if (tile.dataset.unreadable !== undefined) return words.broken;
  if (tile.dataset.share === "") return words.unknown;
  const guesses = guessesOf(tile);
  if (!guesses.some(([slug]) => slug === words.class)) guesses.push([words.class, tile.dataset.share]);
  return words.looks.replace("{guesses}", guesses.map(([slug, percent]) => `${className(slug)} ${percent}%`).join(", "));
};

const tellAbout = (tile) => {
  byId("about").textContent = modelSays(tile);
  showLarge();
};

// --- decisions

const stateText = ({state, to}) => {
  if (state === "keep") return words.kept;
  if (state === "drop") return words.dropped;
  return state === "move" ? words.moved.replace("{class}", className(to)) : "";
};

const show = (tile, state, to) => {
  tile.dataset.state = state;
  tile.dataset.to = to;
  const drawn = state ? [document.querySelector(`.rv-act-${state} svg`).cloneNode(true)] : [];
  tile.querySelector(".rv-mark").replaceChildren(...drawn);
  const where = tile.querySelector(".rv-where");
  where.replaceChildren();
  if (state === "move") {
    const name = document.createElement("span");
    name.textContent = className(to);
    where.append(name);
  }
  const number = tiles.indexOf(tile) + 1;
  tile.ariaLabel = [tile.ariaLabel.split(",")[0], stateText(tile.dataset)].filter(Boolean).join(", ");
  if (number - 1 === here) showLarge();
};

const count = () => {
  const counts = {keep: 0, drop: 0, move: 0};
  for (const tile of tiles) if (tile.dataset.state) counts[tile.dataset.state] += 1;
  const decided = counts.keep + counts.drop + counts.move;
  for (const [state, number] of Object.entries(counts)) byId(`n-${state}`).textContent = number;
  byId("n-decided").textContent = decided;
  byId("progress").value = decided;
  byId("end").hidden = decided < tiles.length;
  const link = document.querySelector(".rv-classes [aria-current]");
  link.dataset.decided = decided;
  link.querySelector(".rv-class-count").textContent = `${decided}/${tiles.length}`;
  link.classList.toggle("rv-done", decided === tiles.length);
  return decided;
};

const say = (text) => { byId("said").textContent = text; };

const decide = (state, to) => {
  if (!tiles.length) return;
  const tile = tiles[here];
  show(tile, state, to);
  const decided = count();
  save({tile, address: words.decide, document: {path: tile.dataset.path, decision: state, class: to}});
  say(`${stateText(tile.dataset)}. ${decided}/${tiles.length}`);
  const next = undecided(here + 1);
  if (next === undefined) say(words.finished);
  const stay = byId("large").open;
  go(next ?? here, {focus: !stay});
  if (next === undefined) byId("end").scrollIntoView({block: "nearest", behavior: "instant"});
};

const undo = () => save({address: words.undo, document: {class: words.class}, then: (answer) => {
  if (!answer.path) return say(words.nothing);
  const index = tiles.findIndex((tile) => tile.dataset.path === answer.path);
  if (index < 0) return undefined;
  show(tiles[index], answer.decision, answer.class);
  count();
  go(index, {focus: !byId("large").open});
  return say(words.undone);
}});

// --- saving: one after the other, in order, until the server has it

const waiting = [];
let saving = false;

const save = (job) => {
  if (job.tile) job.tile.dataset.saving = "";
  waiting.push(job);
  work();
};

const work = async () => {
  if (saving) return;
  saving = true;
  while (waiting.length) {
    const job = waiting[0];
    const answer = await post(job);
    if (answer === null) {
      byId("lost").hidden = false;
      await new Promise((done) => setTimeout(done, 3000));
      continue;
    }
    byId("lost").hidden = true;
    waiting.shift();
    if (job.tile && !waiting.some((other) => other.tile === job.tile)) delete job.tile.dataset.saving;
    job.then?.(answer);
  }
  saving = false;
};

const post = async (job) => {
  try {
    const answer = await fetch(job.address, {
      method: "POST",
      headers: {"Content-Type": "application/json"},
      body: JSON.stringify(job.document),
    });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
};

addEventListener("beforeunload", (event) => { if (waiting.length) event.preventDefault(); });

// --- choosing a class

const openMove = () => {
  if (!tiles.length) return;
  const guesses = guessesOf(tiles[here]);
  const place = (item) => {
    const index = guesses.findIndex(([slug]) => slug === item.firstElementChild.dataset.slug);
    return index < 0 ? guesses.length : index;
  };
  const ordered = choices.map((item, index) => [place(item), index, item]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  for (const [at, , item] of ordered) {
    item.querySelector("small").textContent = guesses[at] ? `${guesses[at][1]}%` : "";
  }
  byId("choices").replaceChildren(...ordered.map(([, , item]) => item));
  byId("filter").value = "";
  filter();
  byId("move").showModal();
  byId("choices").scrollTop = 0;
  if (!matchMedia("(pointer: coarse)").matches) byId("filter").focus();
};

const shown = () => [...byId("choices").children].filter((item) => !item.hidden).map((item) => item.firstElementChild);

const filter = () => {
  const typed = byId("filter").value.trim().toLowerCase();
  for (const item of choices) item.hidden = !item.firstElementChild.dataset.words.includes(typed);
  const buttons = shown();
  choices.forEach((item) => { delete item.firstElementChild.dataset.first; item.querySelector("kbd").textContent = ""; });
  buttons.slice(0, 9).forEach((button, index) => { button.querySelector("kbd").textContent = index + 1; });
  if (buttons.length) buttons[0].dataset.first = "";
  byId("none").hidden = buttons.length > 0;
};

const choose = (button) => {
  byId("move").close();
  decide("move", button.dataset.slug);
};

const highlighted = () => shown().findIndex((button) => "first" in button.dataset);

const highlight = (step) => {
  const buttons = shown();
  if (!buttons.length) return;
  const old = highlighted();
  delete buttons[old].dataset.first;
  const next = buttons[(old + step + buttons.length) % buttons.length];
  next.dataset.first = "";
  next.scrollIntoView({block: "nearest"});
};

byId("filter").addEventListener("input", filter);
byId("move").addEventListener("keydown", (event) => {
  const number = event.key >= "1" && event.key <= "9" ? Number(event.key) : 0;
  const buttons = shown();
  if (number && buttons[number - 1] && !event.isComposing) choose(buttons[number - 1]);
  else if (event.key === "ArrowDown") highlight(1);
  else if (event.key === "ArrowUp") highlight(-1);
  else if (event.key === "Enter" && event.target === byId("filter") && buttons.length && !event.isComposing) choose(buttons[highlighted()]);
  else return;
  event.preventDefault();
  event.stopPropagation();
});
byId("choices").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) choose(button);
});

// --- the photo, large

const showLarge = () => {
  const large = byId("large");
  if (!large.open || !tiles.length) return;
  const {large: address, state} = tiles[here].dataset;
  if (byId("large-photo").getAttribute("src") !== address) byId("large-photo").src = address;
  large.dataset.state = state;
  byId("large-state").textContent = [`${here + 1}/${tiles.length}`, stateText(tiles[here].dataset), byId("about").textContent].filter(Boolean).join(" · ");
};

const openLarge = () => {
  if (!tiles.length) return;
  byId("large").showModal();
  showLarge();
};
byId("large").addEventListener("close", () => go(here));

// --- keys and taps

const onward = (step) => {
  const links = [...document.querySelectorAll(".rv-classes a")];
  const current = links.findIndex((link) => link.hasAttribute("aria-current"));
  links[(current + step + links.length) % links.length].click();
};

const acts = {
  keep: () => decide("keep", words.class),
  drop: () => decide("drop", ""),
  move: openMove,
  undo,
  large: openLarge,
  help: () => byId("help").showModal(),
};

// By the key's place as well as by its letter: with Korean switched on, K types ㅏ.
const letters = {KeyK: "keep", KeyD: "drop", KeyM: "move", KeyU: "undo"};
const steps = {ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: () => -columns(), ArrowDown: () => columns()};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("move").open || byId("help").open) return;
  const act = letters[event.code] ?? {k: "keep", d: "drop", m: "move", u: "undo"}[event.key.toLowerCase()];
  const onControl = event.target.closest?.("a, summary, .rv-act, .rv-plain, .rv-close");
  if (act) acts[act]();
  else if (event.key in steps) {
    const to = here + steps[event.key]();
    if (to >= 0 && to < tiles.length) go(to, {focus: !byId("large").open});
  } else if (event.key === "Home") go(0, {focus: !byId("large").open});
  else if (event.key === "End") go(tiles.length - 1, {focus: !byId("large").open});
  else if (event.key === "?") acts.help();
  else if (event.code === "KeyN") go(undecided(here + 1) ?? here, {focus: !byId("large").open});
  else if (event.key === "[" && !byId("large").open) onward(-1);
  else if (event.key === "]" && !byId("large").open) onward(1);
  else if ((event.key === " " || event.key === "Enter") && !onControl) byId("large").open ? byId("large").close() : openLarge();
  else return;
  event.preventDefault();
});

byId("grid").addEventListener("click", (event) => {
  const index = tiles.indexOf(event.target.closest(".rv-tile"));
  if (index < 0) return;
  if (index === here && tiles[index].hasAttribute("aria-current")) openLarge();
  else go(index);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) acts[button.dataset.do]();
  const close = event.target.closest("[data-close]");
  if (close) close.closest("dialog").close();
  if (event.target instanceof HTMLDialogElement && isOutside(event, event.target)) event.target.close();
});
const isOutside = ({clientX, clientY}, element) => {
  const box = element.getBoundingClientRect();
  return clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom;
};
// The space bar presses a button when it is let go, which keydown cannot prevent everywhere.
addEventListener("keyup", (event) => { if (event.key === " " && event.target.closest?.(".rv-tile")) event.preventDefault(); });

// --- as the page opens

for (const tile of tiles) show(tile, tile.dataset.state, tile.dataset.to);
for (const link of document.querySelectorAll(".rv-classes a")) {
  link.classList.toggle("rv-done", link.dataset.decided === link.dataset.photos);
  if (link.hasAttribute("aria-current")) link.scrollIntoView({block: "nearest", inline: "center"});
}
count();
scrollTo(0, 0);
go(here, {instant: true});
