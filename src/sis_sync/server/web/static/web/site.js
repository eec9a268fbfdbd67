// Conveniences. Every page works without them.
(() => {
  "use strict";
  document.documentElement.classList.add("js");

  const focusErrors = () => document.querySelector("[data-error-summary]")?.focus();

  // "All on this page" ticks every row; Shift-click ticks a range.
  let lastTicked = null;
  const ticks = (form) => [...form.querySelectorAll("input[data-tick]")];
  const sayTicked = (form) => {
    const output = form.querySelector("[data-ticked]");
    if (!output) return;
    const number = ticks(form).filter((box) => box.checked).length;
    output.textContent = number ? `${number} ticked` : "No one ticked";
  };
  document.addEventListener("click", (event) => {
    const box = event.target;
    const form = box.form;
    if (!form || box.type !== "checkbox") return;
    if (box.matches("[data-tick-all]")) ticks(form).forEach((each) => (each.checked = box.checked));
    if (box.matches("[data-tick]")) {
      const all = ticks(form);
      if (event.shiftKey && lastTicked && all.includes(lastTicked)) {
        const [from, to] = [all.indexOf(lastTicked), all.indexOf(box)].sort((a, b) => a - b);
        all.slice(from, to + 1).forEach((each) => (each.checked = box.checked));
      }
      lastTicked = box;
    }
    sayTicked(form);
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    const said = document.getElementById("announce");
    try {
      await navigator.clipboard.writeText(source.textContent);
      said.textContent = "Copied.";
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source);
      said.textContent = "Selected. Press Ctrl+C to copy.";
      button.textContent = "Selected: press Ctrl+C";
    }
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) print();
  });

  document.addEventListener("change", (event) => {
    const box = event.target.closest("[data-shows-password]");
    if (!box) return;
    for (const id of box.dataset.showsPassword.split(" ")) {
      document.getElementById(id).type = box.checked ? "text" : "password";
    }
  });

  // Before the session ends, offer to stay. What was typed remains, also after signing in again in another window.
  const WARNING_SECONDS = 120;
  const watchSession = (notice) => {
    let endsAt = Date.now() + 1000 * Number(notice.dataset.seconds);
    const show = () => {
      const seconds = (endsAt - Date.now()) / 1000;
      notice.hidden = seconds > WARNING_SECONDS;
      notice.querySelectorAll("[data-before]").forEach((part) => (part.hidden = seconds <= 0));
      notice.querySelectorAll("[data-after]").forEach((part) => (part.hidden = seconds > 0));
    };
    const stay = async () => {
      const answer = await fetch(notice.dataset.stay, { cache: "no-store" }).catch(() => null);
      if (!answer?.ok) return;
      const { seconds, token } = await answer.json();
      endsAt = Date.now() + 1000 * seconds;
      document.querySelectorAll("[name=csrfmiddlewaretoken]").forEach((input) => (input.value = token));
      show();
    };
    notice.querySelector("button").addEventListener("click", stay);
    addEventListener("focus", () => notice.hidden || stay());
    setInterval(show, 1000);
    show();
  };

  // A hidden tab sends no requests.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.target.matches("[data-poll]")) event.preventDefault();
  });

  document.addEventListener("DOMContentLoaded", () => {
    focusErrors();
    const notice = document.getElementById("session-end");
    if (notice) watchSession(notice);
    document.querySelectorAll("form").forEach(sayTicked);
  });
  document.addEventListener("htmx:afterSwap", () => document.querySelectorAll("form").forEach(sayTicked));
})();
