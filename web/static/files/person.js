// Shows the service that tells people from programs, and sends the form with what it
// says. Where the service does not come, the form has a button, after half a minute.

const form = document.querySelector("#proof");
const place = document.querySelector("#person");

// away tells of the button instead: the service is out of reach, or not for this browser.
function away() {
  place.hidden = true;
  document.querySelector("#ask").hidden = true;
  document.querySelector("#wait").hidden = false;
}

const script = document.createElement("script");
script.src = place.dataset.script;
script.onerror = away;
script.onload = () => {
  window.turnstile.render(place, {
    sitekey: place.dataset.key,
    action: "code",
    cData: place.dataset.subject,
    language: document.documentElement.lang,
    theme: document.documentElement.classList.contains("light") ? "light" : "auto",
    size: place.clientWidth < 300 ? "compact" : "flexible", // which is no narrower than that
    "response-field": false,
    callback(token) {
      form.elements.token.value = token;
      form.requestSubmit();
    },
    "error-callback": () => true, // it has shown the person what is wrong
    "unsupported-callback": away,
  });
};
document.head.append(script);
