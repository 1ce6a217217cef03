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
    try {
      JSON.parse(area.value);
      line.textContent = says.jsonOk;
    } catch (error) {
      const at = place(error.message, area.value);
      line.className = "live error";
      line.textContent = says.json.replace("{line}", at[0]).replace("{column}", at[1]);
    }
  };
  let timer;
  area.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(check, 300);
  });
  check();
}

// Browsers tell the place in their own words: "at position 12", "at line 2 column 3"; some do
// not, and it is found by where the text that can still become JSON ends.
function place(message, text) {
  const both = message.match(/line (\d+) column (\d+)/);
  if (both) return [both[1], both[2]];
  const position = message.match(/position (\d+)/);
  const before = text.slice(0, position ? Number(position[1]) : text.length).split("\n");
  return [before.length, before.at(-1).length + 1];
}
