// Sends the one form of this page at once. Without script the person presses its button.
const form = document.querySelector("form[data-send]");
// Not again when the person comes back to this page: what it carries is good for one use.
const [navigation] = performance.getEntriesByType("navigation");
if (form && navigation?.type !== "back_forward") form.requestSubmit();
