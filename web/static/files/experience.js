// The preview follows what is typed; without this, a button brings it up to date.

const form = document.getElementById("settings");
const button = document.querySelector("[data-preview]");
const pane = document.querySelector(".look");

// Each preview gets a frame of its own, which takes the place of the last one when it is
// there: no flash, and no entry in the browser's history.
let count = 0;
let pending;
const show = () => {
  pending?.remove();
  const last = pane.querySelector("iframe");
  const next = last.cloneNode();
  next.removeAttribute("src");
  next.removeAttribute("loading");
  next.name = button.formTarget = "preview-" + ++count;
  next.inert = true;
  pending = next;
  last.after(next);
  const live = form.elements["preview.live"];
  const files = [...form.querySelectorAll('input[type="file"]:enabled')];
  live.disabled = false;
  for (const file of files) file.disabled = true;
  next.addEventListener("load", () => {
    last.remove();
    next.inert = false;
    if (pending === next) pending = undefined;
  }, { once: true });
  form.requestSubmit(button);
  live.disabled = true;
  for (const file of files) file.disabled = false;
};

let timer;
const soon = (wait) => {
  clearTimeout(timer);
  timer = setTimeout(show, wait);
};
const size = () => pane.classList.toggle("phone", form.elements["preview.width"].value === "phone");

if (form && button && pane) {
  button.hidden = true;
  form.addEventListener("input", () => soon(300));
  pane.addEventListener("input", (event) => {
    if (event.target.name === "preview.width") size();
    else soon(0);
  });
}

// A colour can be picked as well as typed, and says how well text on it can be read.
const luminance = (color) => {
  const parts = [1, 3, 5].map((at) => {
    const x = parseInt(color.slice(at, at + 2), 16) / 255;
    return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
};
const between = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
const long = (text) => (/^#[0-9a-f]{3}$/i.test(text) ? text.replace(/[0-9a-f]/gi, "$&$&") : text).toLowerCase();

for (const input of document.querySelectorAll('input[data-check="color"]')) {
  const picker = document.createElement("input");
  picker.type = "color";
  picker.setAttribute("aria-label", input.labels[0].textContent);
  picker.disabled = input.readOnly;
  input.after(picker);
  const said = input.closest(".field").nextElementSibling;
  const follow = () => {
    const color = long(input.value.trim());
    if (!/^#[0-9a-f]{6}$/.test(color)) return;
    picker.value = color;
    if (!said?.matches(".contrast")) return;
    const white = between(1, luminance(color));
    const dark = between(luminance("#10121a"), luminance(color));
    said.textContent = said.dataset[white >= dark ? "white" : "dark"].replace("%s", Math.max(white, dark).toFixed(1));
  };
  picker.addEventListener("input", () => {
    input.value = picker.value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
  input.addEventListener("input", follow);
  follow();
}
