// The preview of a mail follows what is typed, and variables are put in at the cursor. Without
// scripts there is a button for the one, and the other is typed.
const form = document.querySelector("form[data-preview]");
const view = document.querySelector(".mailview");
const choices = document.querySelectorAll('.mailview input[name="scheme"], .mailview input[name="part"]');
const mayPost = !form.querySelector("fieldset").disabled;
view.querySelector("[data-refresh]")?.remove();

// Each preview is a new frame: the browser's Back leads to the page before, not to the
// preview before, and the old one stays until the new one is there.
let count = 0;
const refresh = () => {
  const old = view.querySelector("iframe");
  const next = old.cloneNode();
  next.name = `mail-${++count}`;
  next.removeAttribute("src");
  next.classList.add("coming");
  if (!mayPost) next.src = `${form.dataset.preview}?${new URLSearchParams([...choices].filter((c) => c.checked).map((c) => [c.name, c.value]))}`;
  old.after(next);
  if (mayPost) post(next.name);
  next.addEventListener("load", () => {
    for (const other of view.querySelectorAll("iframe")) if (other !== next && Number(other.name.split("-")[1] ?? 0) < Number(next.name.split("-")[1])) other.remove();
    next.classList.remove("coming");
  });
};

const post = (target) => {
  const copy = Object.assign(document.createElement("form"), { method: "post", action: form.dataset.preview, target, hidden: true });
  for (const [name, value] of new FormData(form)) {
    const field = Object.assign(document.createElement("textarea"), { name, value });
    copy.append(field);
  }
  document.body.append(copy);
  copy.submit();
  copy.remove();
};

let timer;
form.addEventListener("input", (event) => {
  if (["to", "size"].includes(event.target.name)) return;
  clearTimeout(timer);
  timer = setTimeout(refresh, 400);
});
for (const choice of choices) choice.addEventListener("change", refresh);

let place = form.elements.content;
for (const field of [form.elements.subject, form.elements.content]) field.addEventListener("focus", () => { place = field; });
for (const button of document.querySelectorAll("[data-insert]")) {
  button.hidden = !mayPost;
  button.addEventListener("click", () => {
    place.focus();
    place.setRangeText(button.dataset.insert, place.selectionStart, place.selectionEnd, "end");
    place.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
