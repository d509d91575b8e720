// The part of a photo to search by: drawn, moved and resized by mouse, touch and keyboard. What is asked for stands in the
// address (box=x,y,width,height in shares of the photo); without this script links choose among a few parts.

const LEAST = 0.06; // of the photo's width or height
const STEP = 0.02;
const EDGE = 26; // pixels around an edge that hold it, for a thumb
const PAUSE = 450; // milliseconds after the last key before the search begins
const START = { x: 0.2, y: 0.2, width: 0.6, height: 0.6 };
const STILL = 6; // pixels that a finger moves while it taps

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

function read(text) {
  const [x, y, width, height] = text.split(",").map(Number);
  return height > 0 ? { x, y, width, height } : null;
}

function same(one, other) {
  return Boolean(one && other) && Object.keys(one).every((name) => Math.abs(one[name] - other[name]) < 0.002);
}

class Frame {
  constructor(look) {
    this.look = look;
    this.box = read(look.dataset.box);
    this.drawing = this.isOwn();
    this.clip = document.createElement("div");
    this.clip.className = "look-clip";
    this.button = Object.assign(document.createElement("button"), { type: "button", className: "look-frame" });
    this.button.setAttribute("aria-label", look.dataset.label);
    this.clip.append(this.button);
    this.clip.hidden = true;
    look.append(this.clip);
    this.showChosen();
    this.button.addEventListener("keydown", (event) => this.onKey(event));
    look.addEventListener("pointerdown", (event) => this.onDown(event));
    look.addEventListener("click", (event) => this.onClick(event));
    look.addEventListener("dragstart", (event) => event.preventDefault()); // a link is drawn over, not dragged away
    this.show();
  }

  show() {
    this.clip.hidden = !this.box;
    this.look.querySelector(".look-box")?.toggleAttribute("hidden", Boolean(this.box));
    if (!this.box) return;
    for (const [name, share] of Object.entries({ left: "x", top: "y", width: "width", height: "height" })) {
      this.button.style[name] = `${this.box[share] * 100}%`;
    }
  }

  begin() {
    this.drawing = true;
    this.box ??= { ...START };
    this.show();
    this.button.focus();
  }

  // The garments found on the photo, as links with their boxes.
  garments() {
    return [...this.look.querySelectorAll(".spots a")].map((link) => {
      const asked = new URLSearchParams(link.getAttribute("href").split("?")[1]);
      return { link, box: read(asked.get("box")) };
    });
  }

  isOwn() {
    return Boolean(this.box) && !this.garments().some(({ box }) => same(box, this.box));
  }

  at(event) {
    const place = this.look.getBoundingClientRect();
    return { x: clamp((event.clientX - place.left) / place.width, 0, 1), y: clamp((event.clientY - place.top) / place.height, 0, 1), place };
  }

  // What a press holds: an edge or two of the frame, all of it, or nothing, from which a new frame is drawn.
  grip(point) {
    if (!this.box) return null;
    const { x, y, width, height } = this.box;
    const [nearX, nearY] = [EDGE / point.place.width, EDGE / point.place.height];
    const inside = point.x > x - nearX && point.x < x + width + nearX && point.y > y - nearY && point.y < y + height + nearY;
    if (!inside) return null;
    const side = (value, low, size, near) => (Math.abs(value - low) < Math.min(near, size / 3) || value < low ? -1 : Math.abs(value - low - size) < Math.min(near, size / 3) || value > low + size ? 1 : 0);
    return { x: side(point.x, x, width, nearX), y: side(point.y, y, height, nearY) };
  }

  // A mouse draws anywhere. A finger scrolls the page and taps garments, unless it is on the frame or drawing was asked for.
  onDown(event) {
    const draws = event.pointerType === "mouse" || this.drawing || event.target === this.button;
    if (event.button !== 0 || !draws) return;
    event.preventDefault();
    const start = this.at(event);
    const grip = this.grip(start);
    const before = this.box;
    let moved = false;
    this.look.setPointerCapture(event.pointerId);
    const move = (to) => {
      moved ||= Math.hypot(to.clientX - event.clientX, to.clientY - event.clientY) > STILL;
      if (moved) this.drag(grip, before, start, this.at(to));
    };
    const end = ({ type }) => {
      this.look.removeEventListener("pointermove", move);
      for (const name of ["pointerup", "pointercancel"]) this.look.removeEventListener(name, end);
      if (type === "pointercancel") this.put(before);
      else if (!moved) this.tap(start);
      else if (this.box !== before) this.search();
    };
    this.look.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) this.look.addEventListener(name, end);
    if (this.box) this.button.focus({ preventScroll: true, focusVisible: false });
  }

  // The smallest garment there, other than the one that the page is about.
  tap({ x, y }) {
    const there = this.garments().filter(({ box }) => x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height);
    const others = there.filter(({ box }) => !same(box, this.box));
    others.sort((one, other) => one.box.width * one.box.height - other.box.width * other.box.height);
    if (others.length) go(others[0].link.getAttribute("href"));
  }

  onClick(event) {
    const link = event.target.closest(".spots a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(link.getAttribute("href"));
  }

  put(box) {
    this.box = box;
    this.show();
  }

  drag(grip, before, start, now) {
    const [dx, dy] = [now.x - start.x, now.y - start.y];
    if (!grip) this.set(between(start.x, now.x), between(start.y, now.y));
    else if (!grip.x && !grip.y) this.move(before, dx, dy);
    else this.set(stretch(before.x, before.width, grip.x, dx), stretch(before.y, before.height, grip.y, dy));
  }

  set([x, width], [y, height]) {
    if (width < LEAST || height < LEAST) return;
    this.box = { x, y, width, height };
    this.show();
  }

  move(from, dx, dy) {
    const { width, height } = from;
    this.box = { width, height, x: clamp(from.x + dx, 0, 1 - width), y: clamp(from.y + dy, 0, 1 - height) };
    this.show();
  }

  onKey(event) {
    const [dx, dy] = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key] ?? [0, 0];
    if (event.key === "Escape") this.leave();
    else if (event.key === "Enter") this.search();
    else if (!dx && !dy) return;
    else if (event.shiftKey) this.set(stretch(this.box.x, this.box.width, 1, dx), stretch(this.box.y, this.box.height, 1, dy));
    else this.move(this.box, dx, dy);
    event.preventDefault();
    clearTimeout(this.later);
    if (dx || dy) this.later = setTimeout(() => this.search(), PAUSE);
  }

  leave() {
    this.drawing = false;
    this.put(null);
    document.getElementById("box-start")?.focus();
    this.search();
  }

  search() {
    clearTimeout(this.later);
    const address = new URL(window.location);
    for (const name of ["page", "from", "box"]) address.searchParams.delete(name);
    const shares = this.box && ["x", "y", "width", "height"].map((name) => Number(this.box[name].toFixed(3)));
    if (shares) address.searchParams.set("box", shares.join(","));
    go(`${address.pathname}${address.search}`);
  }

  // The page says which part it is about: after going back, or after a garment was tapped.
  follow() {
    const told = read(this.look.dataset.box);
    if (!same(told, this.box)) [this.box, this.drawing] = [told, false];
    this.drawing ||= this.isOwn();
    this.show();
    this.showChosen();
  }

  // In the row of garments the chosen one is in sight; the page itself does not move.
  showChosen() {
    const chosen = document.querySelector(".garment[aria-current]");
    const row = chosen?.closest(".garments");
    if (!row) return;
    row.scrollLeft = inSight(row.scrollLeft, row.clientWidth, chosen.offsetLeft, chosen.offsetWidth);
    row.scrollTop = inSight(row.scrollTop, row.clientHeight, chosen.offsetTop, chosen.offsetHeight);
  }
}

// A link that htmx follows in place, as any other on the page but those within a drawing.
function go(address) {
  const link = document.getElementById("look-go");
  link.setAttribute("href", address);
  link.click();
}

// How far a row is scrolled to show what begins at ``start``, and a little of what is beside it: no further than it has to be.
function inSight(scrolled, room, start, size) {
  const [first, last] = [start - size / 3, start + (size * 4) / 3];
  return first < scrolled ? first : Math.max(scrolled, last - room);
}

const between = (a, b) => [Math.min(a, b), Math.abs(a - b)];

function stretch(start, size, side, by) {
  if (!side) return [start, size];
  if (side > 0) return [start, clamp(size + by, LEAST, 1 - start)];
  const moved = clamp(start + by, 0, start + size - LEAST);
  return [moved, start + size - moved];
}

const look = document.getElementById("look");
if (look) {
  const frame = new Frame(look);
  const start = () => document.getElementById("box-start");
  const pressed = () => {
    start()?.setAttribute("aria-pressed", String(frame.drawing));
    look.classList.toggle("look-drawing", frame.drawing);
  };
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#box-start")) return;
    if (frame.drawing) frame.leave();
    else frame.begin();
    pressed();
  });
  document.addEventListener("htmx:after:swap", () => {
    frame.follow();
    pressed();
  });
  pressed();
}
