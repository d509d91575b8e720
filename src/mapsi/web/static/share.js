// The address of a shared list goes where the phone's own sheet leads, or into the clipboard where there is no such sheet. Without
// this script, and over plain http, the address stands in its field to be copied by hand.

for (const button of document.querySelectorAll("[data-send]")) {
  const field = document.getElementById(button.dataset.send);
  button.addEventListener("click", async () => {
    field.select();
    try {
      if (navigator.share) return await navigator.share({ url: field.value, title: document.title });
      await navigator.clipboard.writeText(field.value);
      button.querySelector("span").textContent = button.dataset.copied;
    } catch {
      field.focus(); // sent to nobody after all, or not allowed here: the address is selected
    }
  });
}
