// The part of a photo to search by: drawn, moved and resized by mouse, touch and keyboard. What is asked for stands in the
// address (box=x,y,width,height in shares of the photo); without this script links choose among a few parts.

const LEAST = 0.06; // of the photo's width or height
const STEP = 0.02;
const EDGE = 26; // pixels around an edge that hold it, for a thumb
const PAUSE = 450; // milliseconds after the last key before the search begins
const START = { x: 0.2, y: 0.2, width: 0.6, height: 0.6 };

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

function read(text) {
  const [x, y, width, height] = text.split(",").map(Number);
  return height > 0 ? { x, y, width, height } : null;
}

class Frame {
  constructor(look) {
    this.look = look;
    this.box = read(look.dataset.box);
    this.clip = document.createElement("div");
    this.clip.className = "look-clip";
    this.button = Object.assign(document.createElement("button"), { type: "button", className: "look-frame" });
    this.button.setAttribute("aria-label", look.dataset.label);
    this.clip.append(this.button);
    this.clip.hidden = true;
    look.append(this.clip);
    this.button.addEventListener("keydown", (event) => this.onKey(event));
    look.addEventListener("pointerdown", (event) => this.onDown(event));
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
    this.box ??= { ...START };
    this.show();
    this.button.focus();
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

  onDown(event) {
    const drawing = this.look.classList.contains("look-drawing");
    if (event.button !== 0 || event.target.closest("a") || (event.pointerType !== "mouse" && !drawing && !this.box)) return;
    const start = this.at(event);
    const grip = this.grip(start);
    if (!grip && event.pointerType !== "mouse" && !drawing) return;
    event.preventDefault();
    const before = this.box;
    this.look.setPointerCapture(event.pointerId);
    const move = (moved) => this.drag(grip, before, start, this.at(moved));
    const up = () => {
      this.look.removeEventListener("pointermove", move);
      for (const end of ["pointerup", "pointercancel"]) this.look.removeEventListener(end, up);
      if (this.box !== before) this.search();
    };
    this.look.addEventListener("pointermove", move);
    for (const end of ["pointerup", "pointercancel"]) this.look.addEventListener(end, up);
    if (this.box) this.button.focus({ preventScroll: true });
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
    this.box = null;
    this.show();
    document.getElementById("box-start")?.focus();
    this.search();
  }

  search() {
    clearTimeout(this.later);
    const address = new URL(window.location);
    for (const name of ["page", "from", "box"]) address.searchParams.delete(name);
    const shares = this.box && ["x", "y", "width", "height"].map((name) => Number(this.box[name].toFixed(3)));
    if (shares) address.searchParams.set("box", shares.join(","));
    const link = document.getElementById("look-go"); // which htmx follows in place, as any other link on the page
    link.setAttribute("href", `${address.pathname}${address.search}`);
    link.click();
  }

  // The page says which part it is about: after going back, or after a garment was tapped.
  follow() {
    const told = read(this.look.dataset.box);
    const same = told && this.box && Object.keys(told).every((name) => Math.abs(told[name] - this.box[name]) < 0.002);
    if (!same && this.box !== told) this.box = told;
    this.show();
  }
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
    start()?.setAttribute("aria-pressed", String(Boolean(frame.box)));
    look.classList.toggle("look-drawing", Boolean(frame.box));
  };
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#box-start")) return;
    if (frame.box) frame.leave();
    else frame.begin();
    pressed();
  });
  document.addEventListener("htmx:after:swap", () => {
    frame.follow();
    pressed();
  });
  pressed();
}
