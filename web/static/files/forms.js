// Keeps a second click from sending a form twice. The server would answer the
// same; this only spares the person the doubt. Without it everything works.
const giveUp = 10_000; // ms: a server that does not answer must not lock the page

const release = (form) => {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  (event.submitter ?? form.querySelector("button"))?.setAttribute("aria-busy", "true");
  setTimeout(release, giveUp, form);
});

// A page that comes back from the browser's memory has forgotten its click.
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(release));
