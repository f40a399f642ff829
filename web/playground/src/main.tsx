import "graphiql/style.css";
import "./playground.css";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { base } from "./base";
import { DevSession } from "./devSession";
import { TokenSession } from "./tokenSession";

async function start(root: HTMLElement) {
  const response = await fetch(new URL("playground/config.json", base));
  if (!response.ok) throw new Error(`config.json: ${response.status}`);
  const config = await response.json();
  const session = config.devSignIn ? new DevSession() : new TokenSession();
  createRoot(root).render(<App session={session} notice={config.notice} />);
}

const root = document.getElementById("root")!;
start(root).catch((error: Error) => {
  root.textContent = `The playground cannot start: ${error.message}. Is the server running?`;
});
