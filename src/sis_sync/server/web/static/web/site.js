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
    output.textContent = number ? `${number} ticked` : "Nobody ticked";
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

  document.addEventListener("change", (event) => {
    const box = event.target.closest("[data-shows-password]");
    if (!box) return;
    for (const id of box.dataset.showsPassword.split(" ")) {
      document.getElementById(id).type = box.checked ? "text" : "password";
    }
  });

  // A hidden tab sends no requests.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.target.matches("[data-poll]")) event.preventDefault();
  });

  document.addEventListener("DOMContentLoaded", () => {
    focusErrors();
    document.querySelectorAll("form").forEach(sayTicked);
  });
  document.addEventListener("htmx:afterSwap", () => document.querySelectorAll("form").forEach(sayTicked));
})();
