import "graphiql/style.css";
import "./playground.css";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { DevSession } from "./devSession";
import { alignStoredTabs } from "./graphiqlStorage";
import { configURL, ServerStatus } from "./serverStatus";
import { TokenSession } from "./tokenSession";

async function start(root: HTMLElement) {
  const server = new ServerStatus();
  const response = await server.fetch(configURL);
  if (!response.ok) throw new Error(`The server answered ${response.status} for config.json.`);
  const config = await response.json();
  const session = config.devSignIn ? new DevSession(server) : new TokenSession();
  alignStoredTabs();
  createRoot(root).render(<App session={session} server={server} />);
}

const root = document.getElementById("root")!;
start(root).catch((error: Error) => {
  root.innerHTML = `<p class="loading" role="alert">The playground cannot start. <span></span> Reload the page.</p>`;
  root.querySelector("span")!.textContent = error.message;
});
