// Looks at a field while it is typed: data-check names the address that says what is wrong
// with it, in the words that saving would use. What cannot be asked is left to saving.
const pause = 300; // ms without a key

for (const control of document.querySelectorAll("[data-check]")) {
  let timer, asked = 0;
  const ask = async () => {
    const mine = ++asked;
    const url = new URL(control.dataset.check, location.href);
    url.searchParams.set(control.name, control.value);
    try {
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (!answer.ok || mine !== asked) return;
      show(control, (await answer.json()).error);
    } catch { /* offline, or signed out */ }
  };
  control.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, pause); });
}

function show(control, error) {
  const id = `${control.id}-error`;
  let shown = document.getElementById(id);
  if (!shown && error) {
    shown = document.createElement("p");
    shown.id = id;
    shown.className = "error";
    shown.setAttribute("role", "status");
    shown.append(document.createElement("span"));
    control.after(shown);
  }
  if (!shown) return;
  shown.querySelector("span").textContent = error;
  shown.hidden = !error;
  control.toggleAttribute("aria-invalid", Boolean(error));
  if (error) control.setAttribute("aria-invalid", "true");
  const others = (control.getAttribute("aria-describedby") ?? "").split(" ").filter((one) => one && one !== id);
  control.setAttribute("aria-describedby", (error ? [id, ...others] : others).join(" "));
}
