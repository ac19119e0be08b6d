// Light or dark: as the system says, until someone decides. Runs before the page is shown.

(() => {
  const KEY = "flamingo-theme";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const kept = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // the browser keeps nothing
    }
  };
  const show = (theme) => {
    if (theme) root.dataset.theme = theme;
    const button = document.getElementById("theme-toggle");
    button?.setAttribute("aria-pressed", String((theme ?? systemTheme()) === "dark"));
  };
  const systemTheme = () => (system.matches ? "dark" : "light");
  show(kept());
  addEventListener("DOMContentLoaded", () => {
    show(kept());
    document.getElementById("theme-toggle").addEventListener("click", () => {
      const next = (root.dataset.theme ?? systemTheme()) === "dark" ? "light" : "dark";
      show(next);
      try {
        localStorage.setItem(KEY, next);
      } catch {
        // It holds until the page is left.
      }
    });
  });
})();
