// Choosing a photo: button, camera, drop or paste; a preview, a smaller copy, and the search starts by itself.
// Without this script the form is a file field and a button, and works.

const LONGEST_SIDE = 1600; // pixels; the model reads far fewer, and a phone's photo has 4000
const HEAVY = 1_500_000; // bytes above which a photo is encoded again even if its sides are short
const SHRINKABLE = ["image/jpeg", "image/png", "image/webp"];

async function shrink(file) {
  if (!SHRINKABLE.includes(file.type)) return file;
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return file; // the server says what is wrong with it
  }
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  if (scale === 1 && file.size < HEAVY && file.type !== "image/jpeg") {
    bitmap.close();
    return file;
  }
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9));
  return blob ?? file;
}

class Chooser {
  constructor(part) {
    this.part = part;
    this.form = part.querySelector("form[enctype]");
    this.idle = part.querySelector(".choose-idle");
    this.busy = part.querySelector(".choose-busy");
    this.preview = part.querySelector(".choose-preview");
    this.status = part.querySelector(".choose-status");
    this.error = part.querySelector(".choose-error");
    this.listen();
  }

  listen() {
    for (const field of this.form.querySelectorAll("input[type=file]")) {
      field.addEventListener("change", () => field.files[0] && this.start(field.files[0]));
    }
    this.form.addEventListener("submit", (event) => {
      const file = this.form.elements.photo.files[0];
      event.preventDefault();
      if (file) this.start(file);
    });
    this.part.querySelector(".choose-address-form").addEventListener("submit", () => this.showFetching());
    this.part.querySelector(".choose-cancel").addEventListener("click", () => {
      window.stop(); // the page of an address may be on its way
      this.stop();
    });
    window.addEventListener("pageshow", (event) => event.persisted && this.stop());
  }

  async start(file) {
    if (this.request) return;
    this.fail("");
    if (file.type && !file.type.startsWith("image/")) {
      this.stop();
      this.open();
      this.fail(this.part.dataset.noPhoto);
      return;
    }
    const request = (this.request = new AbortController());
    this.show(file);
    try {
      const photo = await shrink(file);
      this.status.textContent = this.part.dataset.reading;
      const target = await this.send(photo, request.signal);
      if (!request.signal.aborted) window.location.assign(target);
    } catch (error) {
      if (request.signal.aborted) return;
      this.stop();
      this.fail(error.told ?? this.part.dataset.failed);
    }
  }

  async send(photo, signal) {
    if (photo.size > Number(this.part.dataset.most)) throw Object.assign(new Error("large"), { told: this.part.dataset.large });
    const body = new FormData();
    body.append("csrf_token", this.form.elements.csrf_token.value);
    body.append("photo", photo, "photo");
    const answer = await fetch(this.form.action, { method: "POST", body, signal, headers: { Accept: "application/json" } });
    const document = await answer.json();
    if (answer.ok) return document.location;
    throw Object.assign(new Error(document.error.code), { told: `${document.error.message} ${document.error.hint}` });
  }

  show(file) {
    this.address = URL.createObjectURL(file);
    this.preview.hidden = false;
    this.preview.onerror = () => (this.preview.hidden = true); // HEIC, which few browsers show and the server reads
    this.preview.src = this.address;
    this.wait(this.part.dataset.preparing);
  }

  // A shop may take its ten seconds to answer. The form goes its own way; timed so that the browser has read its fields.
  showFetching() {
    this.fail("");
    this.preview.hidden = true;
    setTimeout(() => this.wait(this.part.dataset.fetching));
  }

  // What is dropped or pasted on a page without a place for it is followed in the sheet.
  open() {
    this.part.closest("[popover]:not(:popover-open)")?.showPopover();
  }

  wait(sentence) {
    this.open();
    this.idle.hidden = true;
    this.busy.hidden = false;
    this.status.textContent = sentence;
    this.part.setAttribute("aria-busy", "true");
  }

  stop() {
    this.request?.abort();
    this.request = null;
    this.idle.hidden = false;
    this.busy.hidden = true;
    this.status.textContent = "";
    this.part.removeAttribute("aria-busy");
    this.form.reset();
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = null;
  }

  fail(sentence) {
    this.error.textContent = sentence;
    this.error.hidden = !sentence;
  }
}

function pickImage(transfer) {
  return [...(transfer?.files ?? [])].find((file) => file.type.startsWith("image/")) ?? transfer?.files?.[0];
}

// What is dropped or pasted goes to the place on the page itself, where there is one, else to the sheet.
const choosers = [...document.querySelectorAll("[data-choose]")].map((part) => new Chooser(part));
const chooser = choosers[0];
if (chooser) {
  let depth = 0;
  const over = (change) => {
    depth = Math.max(0, depth + change);
    document.documentElement.classList.toggle("dropping", depth > 0);
  };
  const bringsFile = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragenter", (event) => bringsFile(event) && over(1));
  document.addEventListener("dragleave", (event) => bringsFile(event) && over(-1));
  document.addEventListener("dragover", (event) => bringsFile(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!bringsFile(event)) return;
    event.preventDefault();
    over(-depth);
    const file = pickImage(event.dataTransfer);
    if (file) chooser.start(file);
  });
  document.addEventListener("paste", (event) => {
    const file = pickImage(event.clipboardData);
    const text = event.clipboardData?.getData("text").trim() ?? "";
    if (file) {
      event.preventDefault();
      chooser.start(file);
    } else if (/^https?:\/\/\S+$/i.test(text) && !event.target.closest("input, textarea")) {
      const form = chooser.part.querySelector(".choose-address-form");
      form.elements.address.value = text;
      form.requestSubmit();
    }
  });
}
