// What the picture's own script lacks: a place without an address of its own to change, and the keyboard.
history.replaceState = () => {};
addEventListener("load", () => {
  const boxes = [...document.querySelectorAll("#frames > g")];
  const place = (box) => {
    const rect = box.querySelector("rect");
    const number = (name) => parseFloat(rect.getAttribute(name));
    return { x: number("x"), y: number("y"), end: number("x") + number("width") };
  };
  const shown = (box) => !box.classList.contains("hide");
  const send = (box, type) => box.querySelector("rect").dispatchEvent(new MouseEvent(type, { bubbles: true }));
  let current;
  const focus = (box) => {
    if (!box) return;
    current?.setAttribute("tabindex", "-1");
    box.setAttribute("tabindex", "0");
    current = box;
    box.focus();
    send(box, "mouseover");
  };
  // Of the boxes in a row, the one that fits best.
  const pick = (y, fits, rank) => boxes
    .filter((box) => shown(box) && Math.abs(place(box).y - y) < 1 && fits(place(box)))
    .sort((a, b) => rank(place(a)) - rank(place(b)))[0];
  const go = {
    ArrowUp: (at) => pick(at.y - 16, (to) => to.x >= at.x - 0.01 && to.end <= at.end + 0.01, (to) => to.x - to.end),
    ArrowDown: (at) => pick(at.y + 16, (to) => to.x <= at.x + 0.01 && to.end >= at.end - 0.01, (to) => to.x),
    ArrowLeft: (at) => pick(at.y, (to) => to.x < at.x - 0.001, (to) => -to.x),
    ArrowRight: (at) => pick(at.y, (to) => to.x > at.x + 0.001, (to) => to.x),
  };
  boxes.forEach((box) => { box.setAttribute("role", "button"); box.setAttribute("tabindex", "-1"); });
  current = boxes.reduce((lowest, box) => (lowest && place(lowest).y >= place(box).y ? lowest : box), undefined);
  current?.setAttribute("tabindex", "0");
  addEventListener("keydown", (event) => {
    const box = document.activeElement?.closest("#frames > g");
    if (event.key === "Escape") document.getElementById("unzoom").dispatchEvent(new MouseEvent("click", { bubbles: true }));
    else if (!box) return;
    else if (event.key === "Enter" || event.key === " ") send(box, "click");
    else if (go[event.key]) focus(go[event.key](place(box)));
    else return;
    event.preventDefault();
  });
});
