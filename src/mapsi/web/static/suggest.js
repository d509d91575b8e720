// Suggestions while typing: a combobox with a list, by the ARIA pattern. Without this script the field is a field, and works.

const PAUSE = 90; // milliseconds without a key before the server is asked
const KEPT = 200; // answers kept, so that going back a letter asks nothing

class Suggestions {
  constructor(form) {
    this.form = form;
    this.field = form.elements.q;
    this.kept = new Map();
    this.list = this.makeList();
    this.status = this.makeStatus();
    this.active = -1;
    this.listen();
  }

  makeList() {
    const list = document.createElement("ul");
    Object.assign(list, { id: "suggestions", className: "suggestions", hidden: true });
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", this.form.dataset.label);
    this.form.append(list);
    const roles = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id };
    for (const [name, value] of Object.entries(roles)) this.field.setAttribute(name, value);
    return list;
  }

  makeStatus() {
    const status = document.createElement("p");
    status.className = "visually-hidden";
    status.setAttribute("role", "status");
    this.form.append(status);
    return status;
  }

  listen() {
    this.field.addEventListener("input", () => this.later());
    this.field.addEventListener("focus", () => this.field.value.trim() && this.later());
    this.field.addEventListener("keydown", (event) => this.onKey(event));
    this.field.addEventListener("blur", () => this.close());
    // The field keeps the focus: a tap on the list must not close it before it is a click.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.take(option);
    });
    window.addEventListener("pageshow", () => this.close());
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PAUSE);
  }

  async ask() {
    const typed = this.field.value.trim();
    this.request?.abort();
    if (!typed) return this.close();
    if (!this.kept.has(typed)) {
      const request = (this.request = new AbortController());
      try {
        const answer = await fetch(`${this.form.dataset.suggest}?q=${encodeURIComponent(typed)}`, { signal: request.signal });
        if (!answer.ok) return this.close(); // suggestions are a help, and never an error on the page
        this.keep(typed, (await answer.json()).suggestions);
      } catch {
        return this.close();
      }
    }
    if (typed === this.field.value.trim() && document.activeElement === this.field) this.show(this.kept.get(typed));
  }

  keep(typed, suggestions) {
    if (this.kept.size >= KEPT) this.kept.delete(this.kept.keys().next().value);
    this.kept.set(typed, suggestions);
  }

  show(suggestions) {
    this.list.replaceChildren(...suggestions.map((one, number) => this.makeOption(one, number)));
    this.activate(-1);
    const open = suggestions.length > 0;
    this.list.hidden = !open;
    this.field.setAttribute("aria-expanded", String(open));
    const { some, none } = this.form.dataset;
    this.status.textContent = open ? some.replace("{count}", suggestions.length) : none;
  }

  makeOption({ text, kind, count }, number) {
    const option = document.createElement("li");
    Object.assign(option, { id: `suggestion-${number}`, className: "suggestion" });
    option.setAttribute("role", "option");
    option.dataset.text = text;
    const found = count.toLocaleString(document.documentElement.lang);
    for (const [name, content] of Object.entries({ text, kind: this.form.dataset[kind] ?? "", count: found })) {
      const part = document.createElement("span");
      part.className = `suggestion-${name}`;
      part.textContent = content;
      option.append(part);
    }
    return option;
  }

  onKey(event) {
    if (event.isComposing) return; // Enter and arrows belong to the keyboard while it puts a syllable together
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves) {
      event.preventDefault();
      if (this.list.hidden) return void this.ask();
      const count = this.list.children.length + 1; // one place more: the field itself
      this.activate(((this.active + 1 + moves[event.key] + count) % count) - 1);
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.preventDefault();
      this.close();
    } else if (event.key === "Enter" && this.active >= 0) {
      event.preventDefault();
      this.take(this.list.children[this.active]);
    }
  }

  activate(number) {
    this.list.children[this.active]?.setAttribute("aria-selected", "false");
    this.active = number;
    const option = this.list.children[number];
    if (option) {
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({ block: "nearest" });
      this.field.setAttribute("aria-activedescendant", option.id);
    } else {
      this.field.removeAttribute("aria-activedescendant");
    }
  }

  take(option) {
    this.field.value = option.dataset.text;
    this.close();
    this.form.requestSubmit();
  }

  close() {
    clearTimeout(this.timer);
    this.request?.abort();
    this.list.hidden = true;
    this.activate(-1);
    this.field.setAttribute("aria-expanded", "false");
    this.status.textContent = "";
  }
}

const form = document.querySelector("form[data-suggest]");
if (form) new Suggestions(form);
