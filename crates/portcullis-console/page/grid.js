// The cards of a thousand policies, of which only those in sight are in the document.

import { card, show } from "./cards.js";
import { byId, setAttribute } from "./dom.js";

/** Rows above and below what is in sight. */
const SPARE = 1;

export class Grid {
  #box = byId("cards");
  #open;
  #policies = [];
  #places = new Map();
  /** Cards by id, and those that may be used again. */
  #shown = new Map();
  #free = [];
  #columns = 1;
  #size = { width: 0, height: 0, gap: 0 };
  #active = null;
  #asked = false;

  constructor(open) {
    this.#open = open;
    addEventListener("scroll", () => this.#ask(), { passive: true });
    // In a frame of its own: what it sets changes what is observed.
    new ResizeObserver(() => requestAnimationFrame(() => this.#measure())).observe(this.#box);
    this.#box.addEventListener("focusin", (event) => {
      const id = event.target.closest("[data-id]")?.dataset.id;
      if (id) this.#activate(id);
    });
    this.#measure();
  }

  /** Shows these, in this order. */
  set(policies) {
    this.#policies = policies;
    this.#places = new Map(policies.map(({ id }, place) => [id, place]));
    if (!this.#places.has(this.#active)) this.#active = policies[0]?.id ?? null;
    this.#layOut();
  }

  /** Moves the focus by so many cards, or rows; "first" and "last" go to the ends. */
  move(to) {
    const last = this.#policies.length - 1;
    if (last < 0) return;
    const here = this.#places.get(this.#active) ?? 0;
    const inside = this.#box.contains(document.activeElement);
    const steps = { next: 1, previous: -1, down: this.#columns, up: -this.#columns };
    const place = { first: 0, last }[to] ?? (inside ? here + steps[to] : here);
    this.focus(this.#policies[Math.min(last, Math.max(0, place))].id);
  }

  /** Brings a card into sight, and gives it the focus. */
  focus(id) {
    const place = this.#places.get(id);
    if (place === undefined) return;
    this.#activate(id);
    const top = this.#box.getBoundingClientRect().top + Math.floor(place / this.#columns) * this.#pitch;
    const margin = byId("top").offsetHeight + this.#size.gap;
    if (top < margin) scrollBy({ top: top - margin, behavior: "instant" });
    else if (top + this.#pitch > innerHeight) scrollBy({ top: top + this.#pitch - innerHeight, behavior: "instant" });
    this.#render();
    this.#shown.get(id)?.open.focus({ preventScroll: true });
  }

  get #pitch() {
    return this.#size.height + this.#size.gap;
  }

  #activate(id) {
    if (this.#active === id) return;
    const before = this.#shown.get(this.#active);
    this.#active = id;
    if (before) before.open.tabIndex = -1;
    const now = this.#shown.get(id);
    if (now) now.open.tabIndex = 0;
  }

  #ask() {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#render();
    });
  }

  /** How large a card is, says the style sheet. */
  #measure() {
    const style = getComputedStyle(byId("card-probe"));
    const [narrowest, height, gap] = [style.minWidth, style.height, style.marginTop].map(parseFloat);
    const width = this.#box.clientWidth;
    // Nothing to measure while another view is shown.
    if (width === 0) return;
    this.#columns = Math.max(1, Math.floor((width + gap) / (narrowest + gap)));
    this.#size = { width: (width - (this.#columns - 1) * gap) / this.#columns, height, gap };
    this.#layOut();
  }

  #layOut() {
    const rows = Math.ceil(this.#policies.length / this.#columns);
    const height = `${Math.max(0, rows * this.#pitch - this.#size.gap)}px`;
    if (this.#box.style.height !== height) this.#box.style.height = height;
    this.#render();
  }

  #render() {
    if (this.#pitch === 0 || this.#box.clientWidth === 0) return;
    const top = this.#box.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / this.#pitch) - SPARE) * this.#columns;
    const end = (Math.ceil((innerHeight - top) / this.#pitch) + SPARE) * this.#columns;
    const wanted = this.#policies.slice(first, Math.max(first, end));
    this.#drop(new Set(wanted.map(({ id }) => id)));
    wanted.forEach((policy, index) => this.#place(policy, first + index));
    const active = this.#places.get(this.#active);
    if (this.#shown.has(this.#active)) this.#place(this.#policies[active], active);
  }

  /** Gives back the cards that are out of sight; the one with the focus stays, or the focus would be lost. */
  #drop(wanted) {
    for (const [id, parts] of this.#shown) {
      const focused = parts.node.contains(document.activeElement);
      if (wanted.has(id) || (focused && this.#places.has(id))) continue;
      this.#shown.delete(id);
      this.#free.push(parts);
      // What slides in from where another policy's card was would mislead.
      parts.node.remove();
      parts.node.classList.remove("settled");
    }
  }

  #place(policy, place) {
    let parts = this.#shown.get(policy.id);
    const fresh = parts === undefined;
    if (fresh) {
      parts = this.#free.pop() ?? card(this.#open);
      this.#shown.set(policy.id, parts);
    }
    show(parts, policy);
    const { node, open } = parts;
    const [column, row] = [place % this.#columns, Math.floor(place / this.#columns)];
    const [x, y] = [column * (this.#size.width + this.#size.gap), row * this.#pitch];
    const where = `translate(${x}px, ${y}px)`;
    if (parts.where !== where) node.style.transform = parts.where = where;
    const width = `${this.#size.width}px`;
    if (parts.width !== width) node.style.width = parts.width = width;
    setAttribute(node, "aria-posinset", place + 1);
    setAttribute(node, "aria-setsize", this.#policies.length);
    open.tabIndex = policy.id === this.#active ? 0 : -1;
    if (fresh) this.#box.append(node);
    else node.classList.add("settled");
  }
}
