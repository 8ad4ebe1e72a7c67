// theme.js - light, dark, or as the system is; before the page is drawn, so that it never flashes.
// A classic script: modules run too late.
"use strict";
{
  const ORDER = ["auto", "light", "dark"];
  let theme = "auto";
  try {
    theme = localStorage.getItem("muster-theme") ?? "auto";
  } catch {
    // storage is forbidden: the choice lasts as long as the page
  }

  const apply = () => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  };

  const name = (button) => {
    button.textContent = { auto: "Auto", light: "Light", dark: "Dark" }[theme];
    button.setAttribute("aria-label", `Theme: ${button.textContent}`);
  };

  apply();
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    name(button);
    button.addEventListener("click", () => {
      theme = ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length];
      try {
        localStorage.setItem("muster-theme", theme);
      } catch {
        // as above
      }
      apply();
      name(button);
    });
  });
}
