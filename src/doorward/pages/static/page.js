// What makes pages nicer with script. Everything works without it.
const root = document.documentElement;
root.classList.add("scripted");
const all = (selector, within = document) => within.querySelectorAll(selector);

// An answer to a form that shows a page: going back to it, or loading it again, must not send the form again.
const here = document.querySelector("[data-here]")?.dataset.here;
if (here) history.replaceState(history.state, "", here);

// Times in the reader's zone.
// Dates are written day first, as 24 November 2026, which plain "en" would not do.
const locale = root.lang === "en" ? "en-GB" : root.lang;
const words = (name, options) => new Intl.DateTimeFormat(locale, options).format;
const written = {
  time: words("time", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
  date: words("date", { day: "numeric", month: "long", year: "numeric" }),
  both: words("both", { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
};
const ago = (date) => {
  const seconds = (date - Date.now()) / 1000;
  const relative = new Intl.RelativeTimeFormat(root.lang, { numeric: "auto" });
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return Math.abs(seconds) > 30 * 86400 ? written.date(date) : relative.format(Math.round(seconds / size), unit);
  }
  return relative.format(0, "minute");
};
for (const time of all("time[data-local]")) {
  const date = new Date(time.dateTime);
  time.title = written.both(date);
  time.textContent = (written[time.dataset.local] ?? ago)(date);
}

// A form is sent once; its button says so.
for (const form of all("form")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    const button = event.submitter;
    if (form.dataset.busy && button) {
      button.setAttribute("aria-busy", "true");
      button.textContent = form.dataset.busy;
    }
  });
}
// A page that comes back from the browser's memory starts afresh.
addEventListener("pageshow", (event) => event.persisted && location.reload());

// Show and hide a password; say that Caps Lock is on.
for (const button of all("[data-show]")) {
  const field = document.getElementById(button.getAttribute("aria-controls"));
  const show = button.textContent;
  const set = (shown) => {
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    button.textContent = shown ? button.dataset.hide : show;
  };
  button.addEventListener("click", () => { set(field.type === "password"); field.focus(); });
  field.form?.addEventListener("submit", () => set(false));
}
for (const field of all("[data-secret]")) {
  const hint = field.closest(".field").querySelector("[data-caps]");
  const look = (event) => { hint.hidden = !event.getModifierState?.("CapsLock"); };
  field.addEventListener("keydown", look);
  field.addEventListener("keyup", look);
  field.addEventListener("blur", () => { hint.hidden = true; });
}

// The seconds beside the ring. The ring itself runs without us.
for (const ring of all("[data-ring]")) {
  const period = Number(ring.dataset.ring) * 1000;
  const ends = performance.now() + Number(ring.dataset.left) * 1000;
  const seconds = ring.querySelector("[data-seconds]");
  const hint = document.querySelector("[data-hint]");
  const calm = hint?.textContent;
  const tick = () => {
    const left = Math.max(1, Math.ceil(((((ends - performance.now()) % period) + period) % period) / 1000));
    const soon = left <= 10;
    seconds.textContent = ring.dataset.words.replace("{n}", left);
    ring.classList.toggle("soon", soon);
    const says = soon ? hint?.parentElement.dataset.soon : calm;
    // Only when it changes: a screen reader is told at the turn, not each second.
    if (hint && hint.textContent !== says) hint.textContent = says;
  };
  tick();
  setInterval(tick, 1000);
}

// Rules of a new password tick while one types.
for (const list of all("[data-rules]")) {
  const field = list.closest("form").querySelector("[data-secret]");
  const name = (list.closest("form").querySelector("[data-who]")?.value ?? "").toLowerCase().split("@")[0];
  field.addEventListener("input", () => {
    const typed = field.value;
    for (const rule of all("[data-least]", list)) rule.classList.toggle("met", [...typed].length >= Number(rule.dataset.least));
    for (const rule of all("[data-without-name]", list)) rule.classList.toggle("met", typed !== "" && !(name && typed.toLowerCase().includes(name)));
  });
}

// Copy, download, print.
const copied = async (button, text) => {
  const label = button.querySelector("span") ?? button;
  const before = label.textContent;
  await navigator.clipboard.writeText(text);
  label.textContent = button.dataset.done;
  setTimeout(() => { label.textContent = before; }, 2000);
};
for (const button of all("[data-copy]")) {
  button.addEventListener("click", () => copied(button, button.parentElement.querySelector("[data-copied]").textContent.trim()));
}
const codes = () => [...all("[data-codes] li")].map((item) => item.textContent.trim()).join("\n");
for (const button of all("[data-copy-codes]")) button.addEventListener("click", () => copied(button, codes()));
for (const button of all("[data-print]")) button.addEventListener("click", () => print());
for (const button of all("[data-download-codes]")) {
  button.addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`${button.dataset.heading}\n\n${codes()}\n`], { type: "text/plain" }));
    link.download = button.dataset.downloadCodes;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}
if (matchMedia("(width <= 800px)").matches) for (const details of all("[data-open-on-phone]")) details.open = true;
