// Filters: fields left empty stay out of the address; in the column of a wide screen a tick takes effect at once.

const form = document.querySelector("form[data-filters]");
if (form) {
  const beside = window.matchMedia("(min-width: 62rem)");
  form.addEventListener("submit", () => {
    for (const field of form.querySelectorAll("input")) field.disabled = !field.value.trim();
  });
  form.addEventListener("change", () => beside.matches && form.requestSubmit());
  window.addEventListener("pageshow", () => {
    for (const field of form.querySelectorAll("input")) field.disabled = false;
  });
}
