// The code page: submits what was pasted or filled in, counts down to the next
// code, tells what became of the mail. Without it the page works by its buttons.

const form = document.querySelector("#verify");
const field = document.querySelector("#code");
const digits = Number(field.dataset.digits);

// Submits by itself only what came in one piece, and each value only once; a
// wrong one that the server sent back counts as tried.
const tried = new Set([plain(field.value)]);

function plain(text) {
  return text.normalize("NFKC").replace(/[^0-9A-Za-z]/g, "").toUpperCase();
}

const isFull = (code) => (code.length === digits && /^[0-9]+$/.test(code)) || code.length === 26;

let before = field.value;
field.addEventListener("input", (event) => {
  const inOnePiece =
    !event.inputType || // autofill of most browsers
    ["insertFromPaste", "insertReplacementText", "insertFromDrop"].includes(event.inputType) ||
    plain(event.data ?? "").length >= digits || // autofill of iOS
    plain(field.value).length - plain(before).length >= digits;
  before = field.value;
  const code = plain(field.value);
  field.classList.toggle("long", code.length > 10);
  if (!inOnePiece || !isFull(code) || tried.has(code)) return;
  tried.add(code);
  form.requestSubmit();
});
if (field.value) field.select();

// Counts down to the next code.
const again = document.querySelector("#again");
if (again) {
  const button = again.querySelector("button");
  const line = again.querySelector(".wait");
  const clock = line?.querySelector("[data-seconds]");
  const until = performance.now() + 1000 * Number(clock?.dataset.seconds ?? 0);
  const tick = () => {
    const left = Math.ceil((until - performance.now()) / 1000);
    button.disabled = left > 0;
    if (line) line.hidden = left <= 0;
    if (left <= 0) return;
    const two = n => String(n).padStart(2, "0");
    const minutes = Math.floor(left / 60);
    const written = left < 3600 ? minutes : `${Math.floor(minutes / 60)}:${two(minutes % 60)}`;
    clock.textContent = `${written}:${two(left % 60)}`;
    setTimeout(tick, 250); // a hidden page's timers are late: the clock is read anew
  };
  tick();
}

// Back from another tab, maybe from the one that the link in the mail has opened: is
// there anything left to do here?
document.addEventListener("visibilitychange", async () => {
  if (document.hidden) return;
  try {
    const answer = await fetch(document.querySelector("#mail").dataset.status, { headers: { Accept: "application/json" }, cache: "no-store" });
    if (!answer.ok || !(await answer.json()).done) return;
  } catch {
    return; // offline
  }
  const mail = document.querySelector("#mail");
  mail.dataset.state = "done";
  mail.lastElementChild.textContent = mail.dataset.done;
  form.hidden = true;
  document.querySelector(".more").hidden = true;
});

// Asks what became of the mail, more and more seldom, until there is news that
// stays; a mail that was sent may still bounce, which takes its time. A hidden page
// does not ask.
const line = document.querySelector("#mail");
const pauses = [1, 1, 2, 2, 3, 5, 8, 13, 21, 30, 30, 30]; // s
const seldom = 4; // of these, from where on a mail that was sent is asked for

async function ask(n) {
  if (document.hidden) {
    document.addEventListener("visibilitychange", () => ask(n), { once: true });
    return;
  }
  let state;
  try {
    const answer = await fetch(line.dataset.status, { headers: { Accept: "application/json" }, cache: "no-store" });
    if (answer.status === 404 || answer.status === 400) return; // nothing more to learn
    if (answer.ok) state = await answer.json();
  } catch {
    // offline: asked again below
  }
  if (state) {
    const word = state.done ? "done" : state.mail;
    const text = line.dataset[word];
    if (text && line.dataset.state !== word) {
      line.dataset.state = word;
      line.lastElementChild.textContent = text;
    }
    if (word === "sent") n = Math.max(n, seldom);
    else if (word !== "queued") return;
  }
  if (n + 1 < pauses.length) setTimeout(ask, 1000 * pauses[n + 1], n + 1);
}
if (["queued", "sent"].includes(line.dataset.state)) setTimeout(ask, 1000 * pauses[0], 0);
