// JSON is checked as it is typed. The server checks it all the same.
for (const area of document.querySelectorAll('textarea[data-check="json"]')) {
  const says = area.form.dataset;
  const line = document.createElement("p");
  line.className = "live hint";
  line.setAttribute("aria-live", "polite");
  area.after(line);
  const check = () => {
    line.className = "live hint";
    line.textContent = "";
    if (!area.value.trim()) return;
    const at = fault(area.value);
    if (at < 0) {
      line.textContent = says.jsonOk;
      return;
    }
    const before = area.value.slice(0, at).split("\n");
    line.className = "live error";
    line.textContent = says.json.replace("{line}", before.length).replace("{column}", before.at(-1).length + 1);
  };
  let timer;
  area.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(check, 300);
  });
  check();
}

// fault is where a text stops being JSON (RFC 8259), -1 if it does not. Browsers' own errors tell it
// in different words, or not at all.
function fault(text) {
  let i = 0;
  const space = /[ \t\r\n]*/y;
  const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
  const word = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
  const take = (pattern) => {
    pattern.lastIndex = i;
    if (!pattern.test(text)) throw i;
    i = pattern.lastIndex;
  };
  const expect = (character) => {
    if (text[i] !== character) throw i;
    i++;
  };
  const list = (end, item) => {
    i++;
    take(space);
    if (text[i] === end) {
      i++;
      return;
    }
    for (;;) {
      item();
      if (text[i] !== ",") break;
      i++;
    }
    expect(end);
  };
  const member = () => {
    take(space);
    take(string);
    take(space);
    expect(":");
    value();
  };
  const value = () => {
    take(space);
    if (text[i] === "{") list("}", member);
    else if (text[i] === "[") list("]", value);
    else take(text[i] === '"' ? string : word);
    take(space);
  };
  try {
    value();
    return i < text.length ? i : -1;
  } catch (at) {
    return typeof at === "number" ? at : 0; // too deep
  }
}
