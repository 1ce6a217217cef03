// Tells times in the reader's own time zone. Without it they are told in UTC.
const { lang } = document.documentElement;
const own = navigator.languages.find((l) => l.split("-")[0] === lang.split("-")[0]) ?? lang; // en-GB says more than en
const written = (dateStyle) => new Intl.DateTimeFormat(own, { dateStyle, timeStyle: "short", numberingSystem: "latn" }); // the digits of the rest of the page
const [inText, inTables] = [written("long"), written("medium")]; // where columns have to share the room

for (const time of document.querySelectorAll('time[datetime*="T"]')) {
  const at = new Date(time.dateTime);
  if (!Number.isNaN(at.getTime())) time.textContent = (time.closest("table") ? inTables : inText).format(at);
}
