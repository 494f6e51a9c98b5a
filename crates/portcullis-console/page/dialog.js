// Modal dialogs. The browser keeps the focus inside, gives it back, and closes on Esc.

/** Opens a dialog and answers with its `returnValue` when it is closed; "" when it was given up. */
export function open(dialog, focus) {
  return new Promise((resolve) => {
    dialog.returnValue = "";
    dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true });
    if (!dialog.open) dialog.showModal();
    focus?.focus();
  });
}

/** A press beside a dialog, or a click on one of its closing buttons, closes it. */
export function closable(dialog) {
  // Not a click: one that began inside, as where text is selected, ends here too.
  dialog.addEventListener("mousedown", (event) => { if (event.target === dialog) dialog.close(""); });
  dialog.addEventListener("click", (event) => { if (event.target.closest("[data-close]")) dialog.close(""); });
}

/** Whether one is open. */
export const anyOpen = () => document.querySelector("dialog[open]") !== null;
