import "./ui/tokens.css";
import "./ui/base.css";
import "./ui/controls.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { base } from "./base";
import { applyTheme } from "./preferences";
import { session } from "./session/session";
import { applyLanguage } from "./texts";

applyTheme();
applyLanguage();
void session.start();
// The worker serves the page without a network. Browsers have it in secure contexts only.
if (import.meta.env.PROD) void navigator.serviceWorker?.register(new URL("sw.js", base)).catch(() => {});
createRoot(document.getElementById("root")!).render(<StrictMode><App /></StrictMode>);
