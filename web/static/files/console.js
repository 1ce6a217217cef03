// What the console does better with scripts; without them everything works.

// A second click does not send a form twice. The server would answer the same.
const giveUp = 10_000; // ms: a server that does not answer must not lock the page
const release = (form) => {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
};

// Leaving with something unsaved warns: forms that say data-guard, and with "changed" that it was
// not what is saved to begin with. Fields in data-unguarded are not what is saved.
const isKept = (form, name) => !form.dataset.unguarded?.split(" ").includes(name);
const values = (form) => new URLSearchParams([...new FormData(form)].filter(([k]) => isKept(form, k)).map(([k, v]) => [k, v instanceof File ? v.name : v])).toString();
const guarded = new Map();
for (const form of document.querySelectorAll("form[data-guard]")) guarded.set(form, form.dataset.guard === "changed" || form.querySelector('[aria-invalid="true"]') || document.querySelector(".wrong") ? "" : values(form));
addEventListener("beforeunload", (event) => {
  for (const [form, before] of guarded) {
    if (!form.dataset.sent && values(form) !== before) event.preventDefault();
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.submitter?.formTarget || form.target) return; // a preview
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  (event.submitter ?? form.querySelector("button"))?.setAttribute("aria-busy", "true");
  setTimeout(release, giveUp, form);
});

// A page that comes back from the browser's memory has forgotten its click; what it has sent
// is not unsaved.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    if (guarded.has(form)) guarded.set(form, values(form));
    release(form);
  }
});

// Buttons that copy.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break; // only where it is there, which is on https and localhost
  button.hidden = false;
  const label = button.textContent;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}
