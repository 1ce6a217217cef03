// The development mailbox: shows new mails by itself, copies codes, and tells the
// time of this place. Without it the page is right after a reload.

const mails = document.querySelector("#mails");

function dress(root) {
  for (const time of root.querySelectorAll("time")) {
    time.textContent = new Date(time.dateTime).toLocaleTimeString(document.documentElement.lang, { numberingSystem: "latn" });
  }
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
}

mails.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const label = button.textContent;
  if (label === button.dataset.copied) return;
  button.textContent = button.dataset.copied;
  setTimeout(() => (button.textContent = label), 1500);
});

const ids = (root) => [...root.querySelectorAll("article")].map((a) => a.dataset.id).join();

// What is there stays as it is, open or not; what is new comes in on top.
async function look() {
  if (document.hidden) return;
  const answer = await fetch("/dev/inbox", { cache: "no-store" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("#mails");
  if (ids(fresh) === ids(mails)) return;
  for (const article of fresh.querySelectorAll("article")) {
    const old = mails.querySelector(`article[data-id="${CSS.escape(article.dataset.id)}"]`);
    if (old?.querySelector("details").open) article.replaceWith(old);
  }
  dress(fresh);
  mails.replaceChildren(...fresh.childNodes);
  document.querySelector("header").replaceWith(page.querySelector("header"));
}

dress(mails);
setInterval(() => look().catch(() => {}), 1500); // a server that is restarting is asked again
document.addEventListener("visibilitychange", () => look().catch(() => {}));
