// What the page can't do without a script: choose light or dark, and show a flame graph once it is opened.
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const pictures = [...document.querySelectorAll("details.picture")];
  // A page that was opened from a file may be refused its storage.
  const remember = (theme) => { try { localStorage.setItem("theme", theme); } catch { /* chosen anew next time */ } };
  const remembered = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const theme = () => root.dataset.theme ?? (system.matches ? "dark" : "light");

  const paint = (frame) => {
    const picture = frame.contentDocument?.documentElement;
    if (picture) picture.style.colorScheme = theme();
  };
  const follow = () => {
    button.textContent = theme() === "dark" ? "Light" : "Dark";
    pictures.forEach((picture) => paint(picture.querySelector("iframe")));
  };

  const unpacked = (text) => {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  };

  const chosen = remembered();
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  button.addEventListener("click", () => {
    root.dataset.theme = theme() === "dark" ? "light" : "dark";
    remember(root.dataset.theme);
    follow();
  });
  system.addEventListener("change", follow);
  button.hidden = false;
  follow();

  for (const picture of pictures) {
    const frame = picture.querySelector("iframe");
    frame.addEventListener("load", () => paint(frame));
    picture.addEventListener("toggle", async () => {
      if (picture.open && !frame.srcdoc) frame.srcdoc = await unpacked(frame.dataset.picture);
    });
  }
})();
