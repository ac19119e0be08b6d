// Cards are dragged to another place by their grip, with mouse, pen or finger.

const DURATION = 180; // milliseconds that cards take to make room

/**
 * Lets the cards of a list be dragged.
 *
 * @param {HTMLElement} list
 * @param {(id: string, to: number) => void} move
 */
export function makeDraggable(list, move) {
  list.addEventListener("pointerdown", (event) => {
    const card = event.target.closest(".grip") && event.target.closest(".card");
    if (!card || event.button !== 0) return;
    event.preventDefault();
    card.classList.add("is-dragged");
    const follow = (moved) => {
      const to = placeUnder(list, card, moved);
      if (to !== null) move(card.dataset.id, to);
    };
    const release = () => {
      card.classList.remove("is-dragged");
      removeEventListener("pointermove", follow);
      removeEventListener("pointerup", release);
      removeEventListener("pointercancel", release);
    };
    addEventListener("pointermove", follow);
    addEventListener("pointerup", release);
    addEventListener("pointercancel", release);
  });
}

/** Does something that moves cards, and lets them glide to where they then are. */
export function gliding(list, change) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
    change();
    return;
  }
  const before = new Map([...list.children].map((card) => [card, card.getBoundingClientRect()]));
  change();
  for (const card of list.children) {
    const [from, to] = [before.get(card), card.getBoundingClientRect()];
    if (!from || (from.left === to.left && from.top === to.top)) continue;
    const start = `translate(${from.left - to.left}px, ${from.top - to.top}px)`;
    card.animate([{ transform: start }, { transform: "none" }], { duration: DURATION, easing: "ease-out" });
  }
}

function placeUnder(list, dragged, { clientX, clientY }) {
  const cards = [...list.querySelectorAll(".card")];
  const under = cards.findIndex((card) => {
    const box = card.getBoundingClientRect();
    const isInside = clientX > box.left && clientX < box.right && clientY > box.top && clientY < box.bottom;
    return card !== dragged && isInside && card.getAnimations().length === 0;
  });
  return under < 0 ? null : under;
}
