// Applies the theme that the user has chosen before the first paint. It is a script of its own in the head, because modules
// run after that, and the policy of the page forbids inline scripts. preferences.ts writes the entry.
try {
  const { theme } = JSON.parse(localStorage.getItem("errand:preferences"));
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // No entry, or no storage.
}
